import { performance } from 'node:perf_hooks';

/** The database's clock, by which queued jobs are due, told by this process without asking at each look. */
export type DatabaseClock = {
  now(): Date;
  /** Sets it. @param ask the database for its time: milliseconds since the epoch */
  set(ask: () => Promise<number>): Promise<void>;
};

/** An answer that took longer says too little. Milliseconds. */
const LONGEST_ANSWER = 500;

/**
 * Goes on by the monotonic clock between two answers. What it tells is never before the database's time, so that no timer is early:
 * an answer counts from when it was asked for, and is off by the time that it took at most.
 */
export function createDatabaseClock(): DatabaseClock {
  let offset: number | null = null;
  return {
    now: () => {
      if (offset === null) throw new Error('the clock of the database was never looked at');
      return new Date(Math.ceil(performance.now() + offset));
    },
    set: async (ask) => {
      const asked = performance.now();
      const time = await ask();
      if (offset === null || performance.now() - asked <= LONGEST_ANSWER) offset = time - asked;
    },
  };
}
