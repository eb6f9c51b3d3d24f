/** Lets at most `count` holders in at once, in the order they came. */
export type Slots = {
  /**
   * Waits for a slot. @param priority higher ones are let in earlier; default: 0
   * @returns gives it back @throws the signal's reason when it aborts while waiting
   */
  take(signal: AbortSignal, priority?: number): Promise<() => void>;
  /** How many have a slot, and how many wait for one. */
  counts(): { readonly underWay: number; readonly waiting: number };
};

export function createSlots(count: number): Slots {
  let free = count;
  const waiting: { readonly priority: number; enter(): void }[] = [];

  const give = (): void => {
    const next = waiting.shift();
    if (next === undefined) free++;
    else next.enter();
  };
  const once = (): (() => void) => {
    let held = true;
    return () => {
      if (held) give();
      held = false;
    };
  };

  return {
    counts: () => ({ underWay: count - free, waiting: waiting.length }),
    async take(signal, priority = 0) {
      signal.throwIfAborted();
      if (free > 0) {
        free--;
        return once();
      }
      await new Promise<void>((resolve, reject) => {
        const entry = {
          priority,
          enter: (): void => {
            signal.removeEventListener('abort', leave);
            resolve();
          },
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(entry), 1);
          reject(signal.reason as Error);
        };
        const behind = waiting.findIndex((other) => other.priority < priority);
        waiting.splice(behind < 0 ? waiting.length : behind, 0, entry);
        signal.addEventListener('abort', leave, { once: true });
      });
      return once();
    },
  };
}
