import { makeWorkerUtils } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Effect } from '@workledger/shared/events/saga.ts';
import { EFFECT_TASKS, jobKey, type EffectJob } from './job.ts';

/** A job waits for its database or its process at most so often; the saga's own retries are counted in its stream. */
const INFRASTRUCTURE_ATTEMPTS = 100;

export type EffectQueue = {
  /** Queues an effect unless its job is there already. */
  enqueue(stream: string, effect: Effect): Promise<void>;
  /** Tells whoever runs the effect to stop; one that waits for its time is taken out. */
  cancel(job: EffectJob): Promise<void>;
  /** True when the queue is not the one that was filled before: it was lost or replaced. */
  isNew(): Promise<boolean>;
  markFilled(): Promise<void>;
  close(): Promise<void>;
};

/** The job queue (graphile-worker) on PostgreSQL; makes its tables. */
export async function createEffectQueue(pool: Pool): Promise<EffectQueue> {
  const utils = await makeWorkerUtils({ pgPool: pool });
  await utils.migrate();
  await pool.query('create table if not exists graphile_worker.filled_from_log (at timestamptz not null)');

  return {
    enqueue: async (stream, effect) => {
      const job = { stream, key: effect.key };
      await utils.addJob(EFFECT_TASKS[effect.kind], job, {
        jobKey: jobKey(job),
        jobKeyMode: 'unsafe_dedupe',
        maxAttempts: INFRASTRUCTURE_ATTEMPTS,
        ...(effect.kind === 'timer' ? { runAt: new Date(effect.dueAt) } : {}),
      });
    },
    cancel: async (job) => {
      await pool.query('insert into sagas.cancelled_effects (job_key) values ($1) on conflict do nothing', [
        jobKey(job),
      ]);
      await pool.query(
        `update graphile_worker._private_jobs set run_at = now() where key = $1 and locked_at is null and run_at > now()`,
        [jobKey(job)],
      );
    },
    isNew: async () => (await pool.query('select 1 from graphile_worker.filled_from_log')).rowCount === 0,
    markFilled: async () => {
      await pool.query('insert into graphile_worker.filled_from_log values (clock_timestamp())');
    },
    close: async () => {
      await utils.release();
    },
  };
}
