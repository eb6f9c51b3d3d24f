import { backOff, pause } from '../resilience/pause.ts';
import type { Outages } from '../resilience/outages/outages.ts';

export type Patience = {
  readonly outages: Outages;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Which errors no waiting mends; default: none. */
  readonly isFinal?: (error: unknown) => boolean;
};

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 * Tries until it works, and takes note of how the dependency is.
 * @throws the signal's reason when it aborts meanwhile; what is final
 */
export async function patiently<Result>(
  dependency: string,
  attempt: () => Promise<Result>,
  { outages, signal, isFinal = () => false }: Patience,
): Promise<Result> {
  const outage = outages.of(dependency);
  for (let attempts = 0; ; attempts++) {
    signal.throwIfAborted();
    try {
      const result = await attempt();
      outage.worked(null);
      return result;
    } catch (error) {
      signal.throwIfAborted();
      if (isFinal(error)) throw error;
      outage.failed(null, error);
      await pause(backOff(attempts, FIRST_PAUSE, LONGEST_PAUSE), signal);
    }
  }
}
