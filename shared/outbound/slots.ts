/** Lets so many holders in at once, in the order they came. */
export type Slots = {
  /**
   * Waits for a slot. @param priority higher ones are let in earlier; default: 0
   * @returns gives it back @throws the signal's reason when it aborts while waiting
   */
  take(signal: AbortSignal, priority?: number): Promise<() => void>;
  /** How many have a slot, and how many wait for one. */
  counts(): { readonly underWay: number; readonly waiting: number };
};

/** @param count how many; a function is asked again at each turn */
export function createSlots(count: number | (() => number)): Slots {
  const most = typeof count === 'number' ? () => count : count;
  let held = 0;
  const waiting: { readonly priority: number; enter(): void }[] = [];

  const give = (): void => {
    held--;
    while (held < most()) {
      const next = waiting.shift();
      if (next === undefined) return;
      held++;
      next.enter();
    }
  };
  const once = (): (() => void) => {
    let held = true;
    return () => {
      if (held) give();
      held = false;
    };
  };

  return {
    counts: () => ({ underWay: held, waiting: waiting.length }),
    async take(signal, priority = 0) {
      signal.throwIfAborted();
      if (held < most()) {
        held++;
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
