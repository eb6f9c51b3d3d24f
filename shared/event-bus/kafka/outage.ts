import type { Logger } from '../../telemetry/logger.ts';

export type Outage = {
  /** Somebody (a group, the publisher) could not do something. */
  failed(who: string, error: unknown): void;
  /** Somebody did something, or needs it no more. */
  worked(who: string): void;
};

/** Tells once that Kafka is away, and once that it is back for all, however many wait for it and however often they try. */
export function createOutage(logger: Logger): Outage {
  const waiting = new Set<string>();
  return {
    failed: (who, error) => {
      if (waiting.size === 0) logger.warn({ err: error, who }, 'waiting for Kafka');
      else logger.debug({ err: error, who }, 'still waiting for Kafka');
      waiting.add(who);
    },
    worked: (who) => {
      if (waiting.delete(who) && waiting.size === 0) logger.info('Kafka is there again');
    },
  };
}
