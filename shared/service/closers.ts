import { withDeadline } from '../resilience/with-deadline.ts';

export type Closers = {
  /** Aborts as the closing begins. */
  readonly closing: AbortSignal;
  /** Remembers how to close what has just been opened. @param what how it is named should it not close */
  add(close: () => unknown, what?: string): void;
  /**
   * Closes all, newest first; what fails, or is not closed when the time is over, does not keep the others open.
   * @param milliseconds for all together; default: as long as it takes
   * @throws the first failure, after all were tried
   */
  close(milliseconds?: number): Promise<void>;
};

/** What comes after something that took all the time gets this much. Milliseconds. */
const LEAST = 200;

/** What must be closed again, also when opening the next thing fails. */
export function createClosers(): Closers {
  const open: { close: () => unknown; what: string }[] = [];
  const closing = new AbortController();
  return {
    closing: closing.signal,
    add: (close, what = 'a part') => void open.push({ close, what }),
    close: async (milliseconds) => {
      const deadline = milliseconds === undefined ? null : performance.now() + milliseconds;
      closing.abort();
      const failures: unknown[] = [];
      for (let last = open.pop(); last !== undefined; last = open.pop()) {
        const { close, what } = last;
        try {
          const closed = Promise.resolve(close());
          const left = deadline === null ? null : Math.max(LEAST, Math.round(deadline - performance.now()));
          await (left === null ? closed : withDeadline(closed, left, `closing ${what}`));
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
