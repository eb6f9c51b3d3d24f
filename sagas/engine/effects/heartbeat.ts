import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import type { DatabaseClock } from '../database-clock.ts';
import { EFFECT_TASKS, type EffectQueue } from './queue.ts';
import type { RunningJobs, Workers } from './running-jobs.ts';

export type HeartbeatOptions = {
  readonly pool: Pool;
  readonly queue: Pick<EffectQueue, 'unlock'>;
  readonly workers: Workers;
  readonly running: RunningJobs;
  /** Set by each beat. */
  readonly clock: Pick<DatabaseClock, 'set'>;
  readonly outages: Outages;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

const BEAT_MILLISECONDS = 1_000;
const STALE_SECONDS = 5;
const BEATS_UNTIL_TIDY = 3_600;

/**
 * Beats every second until the signal aborts; wakes workers for jobs that came due, stops what was cancelled or lost, and gives jobs back
 * to the queue that nobody works on any more.
 */
export async function runHeartbeat(options: HeartbeatOptions): Promise<void> {
  const { pool, workers, outages, logger, signal } = options;
  let steadySince: number | null = null;
  let beats = 0;
  while (!signal.aborted) {
    const since: number = steadySince ?? performance.now();
    // Others need the time to beat again, too, after PostgreSQL was away: they are not dead.
    const mayJudge = performance.now() - since > (STALE_SECONDS + 1) * 1_000;
    try {
      await outages.watch('postgresql', () => beatOnce(options, mayJudge));
      if (beats++ % BEATS_UNTIL_TIDY === 0) await forgetOld(pool);
      steadySince = since;
    } catch (error) {
      steadySince = null;
      if (!outages.isTold(error)) logger.warn({ err: error }, 'worker heartbeat failed: trying again');
    }
    await pause(BEAT_MILLISECONDS, signal);
  }
  await pool.query('delete from sagas.workers where worker_id = any ($1)', [[...workers.ids]]).catch(() => undefined);
}

/** Where no other process works on this queue: whoever holds a job at start is dead. */
export async function freeAllJobs({
  pool,
  queue,
  logger,
}: Pick<HeartbeatOptions, 'pool' | 'queue' | 'logger'>): Promise<void> {
  await free(await holders(pool), { queue, logger });
}

async function beatOnce(options: HeartbeatOptions, mayJudge: boolean): Promise<void> {
  const { pool, workers, running, clock, logger } = options;
  const ids = [...workers.ids];
  const { mayNeedCare } = await clock.set(() => beat(pool, ids));
  await running.abortUnwanted(pool, workers);
  if (!mayNeedCare) return;
  const left = await abandoned(pool, ids, running.keys(), STALE_SECONDS);
  if (left > 0) logger.warn({ jobs: left }, 'jobs whose end could not be noted go back to the queue');
  if (mayJudge) {
    await free(await staleHolders(pool, STALE_SECONDS), options);
  }
  await keepPausesShort(pool);
}

async function free(
  ids: readonly string[],
  { queue, logger }: Pick<HeartbeatOptions, 'queue' | 'logger'>,
): Promise<void> {
  if (ids.length === 0) return;
  await queue.unlock(ids);
  logger.warn({ workers: ids.length }, 'jobs of workers that are gone go back to the queue');
}

type Beaten = {
  /** The database's: milliseconds since the epoch. */
  readonly time: number;
  /** Whether a job is held by anybody, or has failed: else there is nothing to free, and no pause to shorten. */
  readonly mayNeedCare: boolean;
};

/**
 * Tells that these workers live, and wakes as many idle ones, of whichever process, as there are jobs that are due.
 * Source: the library's own notification, graphile-worker/sql/000018.sql
 */
async function beat(pool: Pool, workerIds: readonly string[]): Promise<Beaten> {
  const { rows } = await pool.query<{ time: string; mayNeedCare: boolean }>(
    `with beat as (
       insert into sagas.workers (worker_id) select unnest($1::text[])
       on conflict (worker_id) do update set beat_at = clock_timestamp()
     )
     select extract(epoch from clock_timestamp()) * 1000 as time, exists (
       select from graphile_worker._private_jobs where locked_by is not null or last_error is not null
     ) as "mayNeedCare", (
       select pg_notify('jobs:insert', json_build_object('r', random(), 'count', count(*))::text)
       from graphile_worker.jobs
       where task_identifier = any ($2) and locked_at is null and attempts < max_attempts and run_at <= now()
       having count(*) > 0
     ) as woken`,
    [[...workerIds], Object.values(EFFECT_TASKS)],
  );
  return { time: Number(rows[0]?.time), mayNeedCare: rows[0]?.mayNeedCare === true };
}

/** Workers that hold a job. */
async function holders(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select distinct locked_by from graphile_worker._private_jobs where locked_by is not null',
  );
  return rows.map((row) => row.locked_by);
}

/** Workers that hold a job but have not beaten for so many seconds, or never did. */
async function staleHolders(pool: Pool, seconds: number): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    `select distinct locked_by from graphile_worker._private_jobs
     where locked_at < clock_timestamp() - make_interval(secs => $1) and locked_by not in
       (select worker_id from sagas.workers where beat_at > clock_timestamp() - make_interval(secs => $1))`,
    [seconds],
  );
  return rows.map((row) => row.locked_by);
}

/** Frees jobs that these workers hold for so many seconds without having them in hand: their end was not noted. @returns how many */
async function abandoned(
  pool: Pool,
  workerIds: readonly string[],
  inHand: readonly string[],
  seconds: number,
): Promise<number> {
  const { rowCount } = await pool.query(
    `update graphile_worker._private_jobs set locked_by = null, locked_at = null
     where locked_by = any ($1) and locked_at < clock_timestamp() - make_interval(secs => $3)
       and (key is null or key <> all ($2))`,
    [[...workerIds], [...inHand], seconds],
  );
  return rowCount ?? 0;
}

/** The queue itself would wait for hours after many failures of the infrastructure, and give up in the end. */
const LONGEST_PAUSE_SECONDS = 5;

const keepPausesShort = (pool: Pool): Promise<unknown> =>
  pool.query(
    `update graphile_worker._private_jobs
     set run_at = clock_timestamp() + make_interval(secs => $1), attempts = least(attempts, 3)
     where last_error is not null and locked_at is null and run_at > clock_timestamp() + make_interval(secs => $1)`,
    [LONGEST_PAUSE_SECONDS],
  );

/** Removes notes that concern nobody any more. */
async function forgetOld(pool: Pool): Promise<void> {
  await pool.query(`delete from sagas.cancelled_effects where cancelled_at < clock_timestamp() - interval '7 days'`);
  await pool.query(`delete from sagas.workers where beat_at < clock_timestamp() - interval '1 day'`);
}
