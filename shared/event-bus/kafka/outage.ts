import type { Logger } from '../../telemetry/logger.ts';

export type Outage = {
  /** Something could not be done. */
  failed(error: unknown, what: string): void;
  /** Something was done. */
  worked(): void;
};

/** Tells that Kafka is away once, and once that it is back, however many wait for it. */
export function createOutage(logger: Logger): Outage {
  let away = false;
  return {
    failed: (error, what) => {
      if (away) logger.debug({ err: error }, what);
      else logger.warn({ err: error }, `${what}: waiting for Kafka`);
      away = true;
    },
    worked: () => {
      if (away) logger.info('Kafka is there again');
      away = false;
    },
  };
}
