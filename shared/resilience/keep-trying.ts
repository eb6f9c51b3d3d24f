import { backOff, pause } from './pause.ts';

export type Trying = {
  /** Ends the trying; default: nothing does. */
  readonly signal?: AbortSignal;
  /** Milliseconds between the first two tries; doubles with each one. */
  readonly shortest: number;
  /** Milliseconds between two tries at most. */
  readonly longest: number;
  /** Which errors are tried again, the others end the trying; default: all. */
  readonly retryWhile?: (error: unknown) => boolean;
  /** Told of each failure that is tried again; `attempt` counts from 1. What it throws ends the trying. */
  readonly onFailed?: (error: unknown, attempt: number) => void;
};

/**
 * Tries until it works.
 * @param action may say that it `worked` for now: what fails later counts as the first failure again
 * @returns null when the signal aborts first
 * @throws the first error that is not to be tried again
 */
export async function keepTrying<Result>(
  action: (worked: () => void) => Promise<Result>,
  { signal, shortest, longest, retryWhile = () => true, onFailed }: Trying,
): Promise<Result | null> {
  let attempt = 0;
  const worked = (): void => void (attempt = 0);
  const isStopped = (): boolean => signal?.aborted === true;
  while (!isStopped()) {
    try {
      return await action(worked);
    } catch (error) {
      if (!retryWhile(error)) throw error;
      onFailed?.(error, attempt + 1);
      await pause(backOff(attempt, shortest, longest), signal);
      attempt += 1;
    }
  }
  return null;
}
