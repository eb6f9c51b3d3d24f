import type { Logger } from '@workledger/shared/telemetry/logger.ts';

/** Says once that something is away, and once that it is back. */
export type Outage = { away(error: unknown): void; back(): void };

/** @param name of what we depend on, as an operator calls it */
export function createOutage(logger: Logger, name: string): Outage {
  let since: number | null = null;
  return {
    away: (error) => {
      if (since !== null) return;
      since = performance.now();
      logger.warn({ dependency: name, error }, `${name} cannot be used: the relay waits for it`);
    },
    back: () => {
      if (since === null) return;
      const seconds = Math.round((performance.now() - since) / 1000);
      since = null;
      logger.info({ dependency: name, seconds }, `${name} can be used again`);
    },
  };
}
