/** Wakes all who wait. Only a hint: whoever waits looks for itself, before and after, whether there is something to do. */
export type WakeUps = {
  wake(): void;
  /** Changes with every wake-up: take it before looking, and `next` returns at once when one came meanwhile. */
  count(): number;
  /**
   * Waits for the next wake-up. Never throws.
   * @param milliseconds the longest wait; null: for ever
   * @param signal ends the wait, too
   * @param seen the count from which on wake-ups count; default: of now
   */
  next(milliseconds: number | null, signal?: AbortSignal, seen?: number): Promise<void>;
};

export function createWakeUps(): WakeUps {
  let count = 0;
  const waiting = new Set<() => void>();
  return {
    wake: () => {
      count += 1;
      for (const resume of [...waiting]) resume();
    },
    count: () => count,
    next: (milliseconds, signal, seen = count) =>
      new Promise((resolve) => {
        if (count !== seen || signal?.aborted) return resolve();
        const resume = (): void => {
          clearTimeout(timer);
          waiting.delete(resume);
          signal?.removeEventListener('abort', resume);
          resolve();
        };
        const timer = milliseconds === null ? undefined : setTimeout(resume, milliseconds);
        waiting.add(resume);
        signal?.addEventListener('abort', resume);
      }),
  };
}
