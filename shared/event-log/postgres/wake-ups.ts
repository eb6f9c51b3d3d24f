export type WakeUps = {
  /** Changes with every wake-up: take it before reading, and `wait` returns at once when one came meanwhile. */
  count(): number;
  wake(): void;
  /** Waits for a wake-up since `seen`, for the polling interval to pass, or for the signal. Never throws. */
  wait(seen: number, signal: AbortSignal): Promise<void>;
};

/** @param interval the polling interval of this moment, in milliseconds */
export function createWakeUps(interval: () => number): WakeUps {
  let count = 0;
  const waiting = new Set<() => void>();
  return {
    count: () => count,
    wake: () => {
      count += 1;
      for (const resume of [...waiting]) resume();
    },
    wait: (seen, signal) =>
      new Promise((resolve) => {
        if (count !== seen || signal.aborted) return resolve();
        const resume = (): void => {
          clearTimeout(timer);
          waiting.delete(resume);
          signal.removeEventListener('abort', resume);
          resolve();
        };
        const timer = setTimeout(resume, interval());
        waiting.add(resume);
        signal.addEventListener('abort', resume);
      }),
  };
}
