import { Logger as QueueLogger, makeWorkerUtils } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Effect } from '@workledger/shared/contexts/saga/events.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';

/** What a queued job says: which effect of which saga. All else is read from the saga's stream. */
export type EffectJob = {
  readonly stream: string;
  readonly key: string;
  /** How often it failed for reasons that are no outage; missing: never. */
  readonly failures?: number;
  /** How often it could not be done yet; missing: never. */
  readonly postponed?: number;
};

/** Long calls have workers of their own, so that commands and timers never wait behind them. */
export const EFFECT_TASKS = { command: 'perform-command', timer: 'perform-timer', call: 'perform-call' } as const;

/** One job an effect, however often it is queued. The attempt is part of the effect's key. */
export const jobKey = ({ stream, key }: Pick<EffectJob, 'stream' | 'key'>): string => `${stream}/${key}`;

/**
 * Lets the job queue speak through our logger; its everyday notes are for debugging only, and so is what the runner has told already:
 * failed jobs and servers that are away.
 */
export const queueLogger = (logger: Logger, outages: Outages): QueueLogger =>
  new QueueLogger(() => (given, message, meta) => {
    const level: string = given;
    const detail = meta ?? {};
    if (level !== 'error' && level !== 'warning') return logger.debug(detail, message);
    const error = detail['error'] ?? detail['fatalError'];
    // Jobs wait for a connection longer than for a place: that is meant, and no warning.
    const known =
      ('max' in detail && 'concurrency' in detail) ||
      detail['failure'] === true ||
      outages.isTold(error) ||
      outages.notice('postgresql', error);
    if (known) logger.debug(detail, message);
    else if (level === 'error') logger.error(detail, message);
    else logger.warn(detail, message);
  });

/** A job waits for its servers as often as it takes: the heartbeat keeps its count low. The saga's own retries are in its stream. */
const INFRASTRUCTURE_ATTEMPTS = 1_000;

/** The consumer of the `saga` topic that fills the queue. */
export const PERFORMER = 'saga-performer';

export type EffectQueue = {
  /** Queues an effect unless its job is there already. */
  enqueue(stream: string, effect: Effect): Promise<void>;
  /** Tells whoever runs the effect to stop; one that waits for its time is taken out. */
  cancel(job: EffectJob): Promise<void>;
  /** Lets what was postponed be tried at once: a program that starts may have what it waits for. */
  hurry(): Promise<void>;
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
    hurry: async () => {
      await pool.query(
        `update graphile_worker._private_jobs set run_at = now()
         where locked_at is null and run_at > now() and payload::jsonb ? 'postponed'`,
      );
    },
    unlock: (workerIds) => utils.forceUnlockWorkers([...workerIds]),
    close: async () => {
      await utils.release();
    },
  };
}
