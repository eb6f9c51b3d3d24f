import { backOff, pause } from '../resilience/pause.ts';
import type { Logger } from '../telemetry/logger.ts';
import { oneLine } from './fail.ts';

export type Patience = {
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
};

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * Tries until it works. Says once that the dependency is away, again only when the reason changes, and once that it is there.
 * @throws the signal's reason when it aborts meanwhile
 */
export async function patiently<Result>(
  dependency: string,
  attempt: () => Promise<Result>,
  { logger, signal }: Patience,
): Promise<Result> {
  let said: string | null = null;
  for (let attempts = 0; ; attempts++) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      if (said !== null) logger.info({ dependency }, `${dependency} is there`);
      return result;
    } catch (error) {
      signal.throwIfAborted();
      const reason = oneLine(error);
      if (reason !== said) logger.warn({ dependency, reason }, `${dependency} is not there: waiting for it`);
      said = reason;
      await pause(backOff(attempts, FIRST_PAUSE, LONGEST_PAUSE), signal);
    }
  }
}
