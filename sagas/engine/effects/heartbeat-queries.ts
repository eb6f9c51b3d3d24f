import type { Pool } from 'pg';

/** Tells that these workers live. */
export const beat = (pool: Pool, workerIds: readonly string[]): Promise<unknown> =>
  pool.query(
    `insert into sagas.workers (worker_id) select unnest($1::text[])
     on conflict (worker_id) do update set beat_at = clock_timestamp()`,
    [[...workerIds]],
  );

/** Workers that hold a job. */
export async function holders(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select distinct locked_by from graphile_worker._private_jobs where locked_by is not null',
  );
  return rows.map((row) => row.locked_by);
}

/** Workers that hold a job but have not beaten for so many seconds, or never did. */
export async function staleHolders(pool: Pool, seconds: number): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    `select distinct locked_by from graphile_worker._private_jobs
     where locked_at < clock_timestamp() - make_interval(secs => $1) and locked_by not in
       (select worker_id from sagas.workers where beat_at > clock_timestamp() - make_interval(secs => $1))`,
    [seconds],
  );
  return rows.map((row) => row.locked_by);
}

/** Frees jobs that these workers hold for so many seconds without having them in hand: their end was not noted. @returns how many */
export async function abandoned(
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

export const keepPausesShort = (pool: Pool): Promise<unknown> =>
  pool.query(
    `update graphile_worker._private_jobs
     set run_at = clock_timestamp() + make_interval(secs => $1), attempts = least(attempts, 3)
     where last_error is not null and locked_at is null and run_at > clock_timestamp() + make_interval(secs => $1)`,
    [LONGEST_PAUSE_SECONDS],
  );

/** Removes notes that concern nobody any more. */
export async function forgetOld(pool: Pool): Promise<void> {
  await pool.query(`delete from sagas.cancelled_effects where cancelled_at < clock_timestamp() - interval '7 days'`);
  await pool.query(`delete from sagas.workers where beat_at < clock_timestamp() - interval '1 day'`);
}
