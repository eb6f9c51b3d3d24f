/** Tells readers that a read model moved: those of this process, or of all. Only a hint: whoever waits also looks for itself. */
export type WakeUps = {
  wake(): void;
  /** Resolves at the next wake-up, after `milliseconds` at the latest. */
  next(milliseconds: number): Promise<void>;
};

export function createWakeUps(): WakeUps {
  const waiting = new Set<() => void>();
  return {
    wake: () => {
      for (const resume of waiting) resume();
    },
    next: (milliseconds) =>
      new Promise((resolve) => {
        const resume = (): void => {
          waiting.delete(resume);
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(resume, milliseconds);
        waiting.add(resume);
      }),
  };
}
