import { backOff, pause } from './pause.ts';

export type Trying = {
  /** Ends the trying. */
  readonly signal: AbortSignal;
  /** Milliseconds between the first two tries; doubles with each one. */
  readonly shortest: number;
  /** Milliseconds between two tries at most. */
  readonly longest: number;
  /** Told of each failure; `attempt` counts from 1. What it throws ends the trying. */
  readonly onFailed: (error: unknown, attempt: number) => void;
};

/** Tries until it works. @returns null when the signal aborts first */
export async function keepTrying<Result>(
  action: () => Promise<Result>,
  { signal, shortest, longest, onFailed }: Trying,
): Promise<Result | null> {
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      return await action();
    } catch (error) {
      onFailed(error, attempt + 1);
      await pause(backOff(attempt, shortest, longest), signal);
    }
  }
  return null;
}
