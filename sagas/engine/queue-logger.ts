import { Logger as QueueLogger } from 'graphile-worker';
import type { Logger } from 'pino';

/** Lets the job queue speak through our logger; its everyday notes are for debugging only. */
export const queueLogger = (logger: Logger): QueueLogger =>
  new QueueLogger(() => (given, message, meta) => {
    const level: string = given;
    const detail = meta ?? {};
    if (level === 'error') logger.error(detail, message);
    else if (level === 'warning') logger.warn(detail, message);
    else logger.debug(detail, message);
  });
