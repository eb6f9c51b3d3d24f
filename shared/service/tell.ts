import type { InProcessBusOptions } from '../event-bus/in-process/in-process-bus.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import type { Logger } from '../telemetry/logger.ts';

/** Logs what a consumer of the bus could not do, unless an outage was told; the bus tries it again. */
export const tellConsumeError =
  (logger: Logger, outages: Outages): NonNullable<InProcessBusOptions['onError']> =>
  ({ group, partition, attempt, error }) =>
    logger[outages.isTold(error) ? 'debug' : 'warn'](
      { err: error, group, partition, attempt },
      'events could not be handled: trying again',
    );

/**
 * Logs, for debugging, that a database connection was lost, unless everything is closing: then connections are meant to end. Who
 * needs the server tells that it is away.
 */
export const tellLost =
  (logger: Logger, closing: AbortSignal) =>
  (error: Error): void => {
    if (!closing.aborted) logger.debug({ err: error }, 'database connection lost');
  };
