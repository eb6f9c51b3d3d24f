import { NotBegun } from '../engine/component.ts';

/** A call that is being performed. */
export type UnderWay = { readonly component: string; readonly taskId: string };

/** The calls of a process that is asked to stop: what is under way may end by itself, and nothing begins any more. */
export type Drain = {
  /** Aborts as the drain begins. */
  readonly begun: AbortSignal;
  begin(): void;
  /**
   * Lets a call begin; once a drain has begun it is held until its signal aborts. @returns to be called at its end
   * @throws NotBegun
   */
  enter(call: UnderWay, signal: AbortSignal): Promise<() => void>;
  underWay(): readonly UnderWay[];
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
};

export function createDrain(): Drain {
  const begun = new AbortController();
  const calls = new Set<UnderWay>();
  const waiting = new Set<() => void>();
  return {
    begun: begun.signal,
    begin: () => begun.abort(),
    enter: async (call, signal) => {
      if (begun.signal.aborted) await aborted(signal);
      if (signal.aborted) throw new NotBegun('the process stops', { cause: signal.reason });
      const own = { ...call };
      calls.add(own);
      return () => {
        calls.delete(own);
        if (calls.size > 0) return;
        for (const resolve of waiting) resolve();
        waiting.clear();
      };
    },
    underWay: () => [...calls],
    idle: () => (calls.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.add(resolve))),
  };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
