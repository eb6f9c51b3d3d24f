/** Waits so many milliseconds, or less when the signal aborts. Never throws. */
export const pause = (milliseconds: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
  });

/** A pause that doubles with each attempt (from 0), at most `longest` milliseconds. */
export const backOff = (attempt: number, shortest: number, longest: number): number =>
  Math.min(longest, shortest * 2 ** Math.min(attempt, 20));
