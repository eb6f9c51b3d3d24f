import { EventEmitter } from 'node:events';
import { setInterval } from 'node:timers';
import { makeWorkerUtils, type WorkerEvents, type WorkerUtils } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { RunningJobs } from './running-jobs.ts';

/** Ids under which this process holds jobs: those of the queue's worker pools. */
export type Workers = { readonly ids: Set<string> };

export const createWorkers = (): Workers => ({ ids: new Set() });

/** Learns the ids from the queue's own events. */
export function workerEvents({ ids }: Workers): WorkerEvents {
  const events = new EventEmitter() as WorkerEvents;
  events.on('pool:create', ({ workerPool }) => ids.add(workerPool.id));
  events.on('pool:release', ({ workerPool }) => ids.delete(workerPool.id));
  return events;
}

export type HeartbeatOptions = {
  readonly pool: Pool;
  readonly workers: Workers;
  readonly running: RunningJobs;
  readonly logger: Logger;
  /** No other process works on this queue: whoever holds a job at start is dead. */
  readonly alone: boolean;
};

const BEAT_MILLISECONDS = 1_000;
const STALE_SECONDS = 5;
/** The queue itself would wait for hours after many failures of the infrastructure. */
const LONGEST_PAUSE_SECONDS = 30;

/** Beats every second; gives jobs of workers that stopped beating back to the queue. Answers how to stop. */
export async function startHeartbeat(options: HeartbeatOptions): Promise<() => Promise<void>> {
  const utils = await makeWorkerUtils({ pgPool: options.pool });
  if (options.alone) await unlock(utils, await lockHolders(options.pool), options);
  await options.pool.query(
    `delete from sagas.cancelled_effects where cancelled_at < clock_timestamp() - interval '1 day'`,
  );
  let beating: Promise<void> = Promise.resolve();
  const beat = (): void => {
    beating = beating
      .then(() => beatOnce(utils, options))
      .catch((error: unknown) => options.logger.warn({ err: error }, 'worker heartbeat failed: trying again'));
  };
  beat();
  const interval = setInterval(beat, BEAT_MILLISECONDS);
  return async () => {
    clearInterval(interval);
    await beating;
    await options.pool.query('delete from sagas.workers where worker_id = any ($1)', [[...options.workers.ids]]);
    await utils.release();
  };
}

async function beatOnce(utils: WorkerUtils, options: HeartbeatOptions): Promise<void> {
  const { pool, workers, running } = options;
  await pool.query(
    `insert into sagas.workers (worker_id) select unnest($1::text[])
     on conflict (worker_id) do update set beat_at = clock_timestamp()`,
    [[...workers.ids]],
  );
  await running.abortCancelled(pool);
  await unlock(utils, await staleHolders(pool), options);
  await pool.query(
    `update graphile_worker._private_jobs set run_at = clock_timestamp() + make_interval(secs => $1)
     where last_error is not null and locked_at is null and run_at > clock_timestamp() + make_interval(secs => $1)`,
    [LONGEST_PAUSE_SECONDS],
  );
}

/** Workers that hold a job but have not beaten for too long, or never did. */
async function staleHolders(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    `select distinct locked_by from graphile_worker._private_jobs
     where locked_at < clock_timestamp() - make_interval(secs => $1) and locked_by not in
       (select worker_id from sagas.workers where beat_at > clock_timestamp() - make_interval(secs => $1))`,
    [STALE_SECONDS],
  );
  return rows.map((row) => row.locked_by);
}

async function lockHolders(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select distinct locked_by from graphile_worker._private_jobs where locked_by is not null',
  );
  return rows.map((row) => row.locked_by);
}

async function unlock(utils: WorkerUtils, ids: readonly string[], { logger }: HeartbeatOptions): Promise<void> {
  if (ids.length === 0) return;
  await utils.forceUnlockWorkers([...ids]);
  logger.warn({ workers: ids.length }, 'jobs of workers that are gone go back to the queue');
}
