/** Someone who waits, and how to end the wait. */
export type Sleeper = { wake: () => void };

/** Waits until `sleeper.wake` is called, or the signal aborts. Never throws. */
export const untilWoken = (sleeper: Sleeper, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      sleeper.wake = () => undefined;
      signal.removeEventListener('abort', done);
      resolve();
    };
    sleeper.wake = done;
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
