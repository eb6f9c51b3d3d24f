import type { Pool } from 'pg';
import { beat } from './beat.ts';
import { forget } from './forget.ts';
import { lastBeat } from './last-beat.ts';
import { lease, type Lease } from './lease.ts';
import { silent, type Silent } from './silent.ts';

export type Heartbeats = {
  /** Notes a sign of life of `agent:<id>` or `claim:<id>`. */
  beat(...subjects: readonly string[]): Promise<void>;
  lastBeat(subject: string): Promise<Date | null>;
  /** Runs for `seconds` from the latest of the last beat, `since`, and the service's readiness. */
  lease(subject: string, since: Date, seconds: number): Promise<Lease>;
  /** Those of a kind without a beat for `seconds`, counted from this service's readiness at the earliest. */
  silent(kind: 'agent' | 'claim', seconds: number): Promise<readonly Silent[]>;
  forget(seen: readonly Silent[]): Promise<void>;
};

/**
 * Signs of life, outside the log: upserts on the database's clock. Nobody is blamed for silence while we could not hear:
 * readiness is taken now, and again after the database was away.
 */
export async function createHeartbeats(pool: Pool): Promise<Heartbeats> {
  let ready: Date | null = await databaseTime(pool);

  const heard = async <Result>(query: (ready: Date) => Promise<Result>): Promise<Result> => {
    try {
      ready ??= await databaseTime(pool);
      return await query(ready);
    } catch (error) {
      ready = null;
      throw error;
    }
  };

  return {
    beat: (...subjects) => heard(() => beat(pool, subjects)),
    lastBeat: (subject) => heard(() => lastBeat(pool, subject)),
    lease: (subject, since, seconds) => heard((ready) => lease(pool, { subject, since, ready, seconds })),
    silent: (kind, seconds) => heard((ready) => silent(pool, { kind, ready, seconds })),
    forget: (seen) => heard(() => forget(pool, seen)),
  };
}

async function databaseTime(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
  return (rows[0] as { now: Date }).now;
}
