import { keepTrying } from '../resilience/keep-trying.ts';
import type { Outages } from '../resilience/outages/outages.ts';

export type Patience = {
  readonly outages: Outages;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Which errors no waiting mends; default: none. */
  readonly isFinal?: (error: unknown) => boolean;
};

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
  const tried = await keepTrying(async () => ({ result: await attempt() }), {
    signal,
    shortest: 100,
    longest: 5_000,
    retryWhile: (error) => signal.aborted || !isFinal(error),
    onFailed: (error) => {
      signal.throwIfAborted();
      outage.failed(null, error);
    },
  });
  if (tried === null) throw signal.reason;
  outage.worked(null);
  return tried.result;
}
