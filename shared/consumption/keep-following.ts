import { keepTrying } from '../resilience/keep-trying.ts';
import type { Outages } from '../resilience/outages/outages.ts';
import { backOff, pause } from '../resilience/pause.ts';

const SHORTEST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5_000;

export type FollowingOptions = {
  readonly signal: AbortSignal;
  /** What is known as an outage is not told by `onFailed`. */
  readonly outages?: Pick<Outages, 'isTold' | 'notice'> | undefined;
  readonly onFailed: (error: unknown, retryInMs: number) => void;
};

/**
 * Follows again and again until the signal aborts, with pauses that grow while nothing comes of it. An end without a failure, on the way
 * back to the log, has a short one.
 * @param follow calls `progressed` whenever something was done: the next pause is the shortest again
 */
export async function keepFollowing(
  follow: (progressed: () => void) => Promise<void>,
  { signal, outages, onFailed }: FollowingOptions,
): Promise<void> {
  const pauses = { shortest: SHORTEST_MILLISECONDS, longest: LONGEST_MILLISECONDS };
  const tell = (error: unknown, attempt: number): void => {
    if (signal.aborted || outages?.isTold(error) || outages?.notice('event-bus', error)) return;
    onFailed(error, backOff(attempt - 1, pauses.shortest, pauses.longest));
  };
  while (!signal.aborted) {
    await keepTrying(follow, { ...pauses, signal, onFailed: tell });
    await pause(SHORTEST_MILLISECONDS, signal);
  }
}
