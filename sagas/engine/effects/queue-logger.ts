import { Logger as QueueLogger } from 'graphile-worker';
import type { Logger } from 'pino';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';

/**
 * Lets the job queue speak through our logger; its everyday notes are for debugging only, and so is what the runner has told already:
 * failed jobs and servers that are away.
 */
export const queueLogger = (logger: Logger, outages: Outages): QueueLogger =>
  new QueueLogger(() => (given, message, meta) => {
    const level: string = given;
    const detail = meta ?? {};
    if (level !== 'error' && level !== 'warning') return logger.debug(detail, message);
    const error = detail['error'] ?? detail['fatalError'];
    const known = detail['failure'] === true || outages.isTold(error) || outages.notice('postgresql', error);
    if (known) logger.debug(detail, message);
    else if (level === 'error') logger.error(detail, message);
    else logger.warn(detail, message);
  });
