import { makeWorkerUtils } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Effect } from '@workledger/shared/contexts/saga/events.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { EFFECT_TASKS, jobKey, type EffectJob } from './job.ts';
import { queueLogger } from './queue-logger.ts';

/** A job waits for its servers as often as it takes: the heartbeat keeps its count low. The saga's own retries are in its stream. */
const INFRASTRUCTURE_ATTEMPTS = 1_000;

/** The consumer of the `saga` topic that fills the queue. */
export const PERFORMER = 'saga-performer';

export type EffectQueue = {
  /** Queues an effect unless its job is there already. */
  enqueue(stream: string, effect: Effect): Promise<void>;
  /** Tells whoever runs the effect to stop; one that waits for its time is taken out. */
  cancel(job: EffectJob): Promise<void>;
  /** Gives the jobs of these workers back, whatever they are doing. */
  unlock(workerIds: readonly string[]): Promise<void>;
  close(): Promise<void>;
};

/** The job queue (graphile-worker) on PostgreSQL; makes its tables. What a lost one held is queued again by the sweep. */
export async function openEffectQueue(pool: Pool, logger: Logger, outages: Outages): Promise<EffectQueue> {
  const utils = await makeWorkerUtils({ pgPool: pool, logger: queueLogger(logger, outages) });
  try {
    await utils.migrate();
  } catch (error) {
    await utils.release();
    throw error;
  }

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
    unlock: (workerIds) => utils.forceUnlockWorkers([...workerIds]),
    close: async () => {
      await utils.release();
    },
  };
}
