import type { InProcessBusOptions } from '../event-bus/in-process/in-process-bus.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Logs what a consumer of the bus could not do; the bus tries it again. */
export const tellConsumeError =
  (logger: Logger): NonNullable<InProcessBusOptions['onError']> =>
  ({ group, partition, attempt, error }) =>
    logger.warn({ err: error, group, partition, attempt }, 'events could not be handled: trying again');

/** Logs that a database connection was lost, unless everything is closing: then connections are meant to end. */
export const tellLost =
  (logger: Logger, closing: AbortSignal) =>
  (error: Error): void => {
    if (!closing.aborted) logger.warn({ err: error }, 'database connection lost');
  };
