import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';

/** The database's clock, by which queued jobs are due, told by this process without asking at each look. */
export type DatabaseClock = {
  now(): Date;
  /** Sets it. @param ask the database, whose answer has its time: milliseconds since the epoch */
  set<Answer extends { readonly time: number }>(ask: () => Promise<Answer>): Promise<Answer>;
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
      const answer = await ask();
      if (offset === null || performance.now() - asked <= LONGEST_ANSWER) offset = answer.time - asked;
      return answer;
    },
  };
}

/** The database's time, and nothing else of it. */
export async function readTime(pool: Pool): Promise<{ readonly time: number }> {
  const { rows } = await pool.query<{ time: string }>('select extract(epoch from clock_timestamp()) * 1000 as time');
  return { time: Number(rows[0]?.time) };
}
