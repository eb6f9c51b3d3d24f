import type { Logger } from '../telemetry/logger.ts';
import { keepTrying } from './keep-trying.ts';
import type { Outages } from './outages/outages.ts';

export type Patience = {
  readonly outages: Outages;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** Told, each time, of what is no sign of an outage; default: every failure is one. */
  readonly logger?: Pick<Logger, 'error'>;
  /** Which errors no waiting mends; default: none. */
  readonly isFinal?: (error: unknown) => boolean;
};

/**
 * Tries until it works, however long its server is away, and takes note of how that is.
 * @throws the signal's reason when it aborts meanwhile; what is final
 */
export async function patiently<Result>(
  dependency: string,
  attempt: () => Promise<Result>,
  { outages, signal, logger, isFinal = () => false }: Patience,
): Promise<Result> {
  const isAway = logger === undefined ? (error: unknown) => !signal.aborted && !isFinal(error) : undefined;
  const tried = await keepTrying(async () => ({ result: await outages.watch(dependency, attempt, isAway) }), {
    signal,
    shortest: 100,
    longest: 5_000,
    retryWhile: (error) => signal.aborted || !isFinal(error),
    onFailed: (error) => {
      signal.throwIfAborted();
      if (!outages.isTold(error)) logger?.error({ err: error, dependency }, 'failed: trying again');
    },
  });
  if (tried === null) throw signal.reason;
  return tried.result;
}
