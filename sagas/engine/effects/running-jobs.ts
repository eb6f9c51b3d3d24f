import { EventEmitter } from 'node:events';
import type { WorkerEvents } from 'graphile-worker';
import type { Pool } from 'pg';

/** Why a running effect has to stop. `lost`: somebody else has its job now. */
export type StopReason = 'cancelled' | 'stopping' | 'lost';

/** The jobs that this process has in hand now, each with its way to stop it. */
export type RunningJobs = {
  /** Runs the work; its signal aborts with a StopReason. */
  track<Result>(jobKey: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  keys(): readonly string[];
  /** Aborts what was cancelled, by whichever process, and what these workers do not hold any more. */
  abortUnwanted(pool: Pool, workers: Workers): Promise<void>;
  abortAll(): void;
};

export function createRunningJobs(): RunningJobs {
  const controllers = new Map<string, AbortController>();
  let stopping = false;
  return {
    track: async (jobKey, work) => {
      const controller = new AbortController();
      // The job of a key that was lost may come back to us while the lost one is still ending.
      controllers.set(jobKey, controller);
      if (stopping) controller.abort('stopping' satisfies StopReason);
      try {
        return await work(controller.signal);
      } finally {
        if (controllers.get(jobKey) === controller) controllers.delete(jobKey);
      }
    },
    keys: () => [...controllers.keys()],
    abortUnwanted: async (pool, { ids }) => {
      // At one moment: a job whose worker was not known yet would seem to be somebody else's.
      const [running, workerIds] = [new Map(controllers), [...ids]];
      if (running.size === 0) return;
      const { rows } = await pool.query<{ job_key: string; reason: StopReason }>(UNWANTED, [
        [...running.keys()],
        workerIds,
      ]);
      for (const { job_key, reason } of rows) running.get(job_key)?.abort(reason);
    },
    abortAll: () => {
      stopping = true;
      for (const controller of controllers.values()) controller.abort('stopping' satisfies StopReason);
    },
  };
}

const UNWANTED = `
  select running.job_key, case when job.key is null then 'lost' else 'cancelled' end as reason
  from unnest($1::text[]) as running (job_key)
  left join sagas.cancelled_effects cancelled on cancelled.job_key = running.job_key
  left join graphile_worker._private_jobs job on job.key = running.job_key and job.locked_by = any ($2)
  where cancelled.job_key is not null or job.key is null`;

/** Ids under which this process holds jobs: those of the queue's worker pools. Random, so no two processes share one. */
export type Workers = { readonly ids: Set<string> };

export const createWorkers = (): Workers => ({ ids: new Set() });

/** Learns the ids from the queue's own events. */
export function workerEvents({ ids }: Workers): WorkerEvents {
  const events = new EventEmitter() as WorkerEvents;
  events.on('pool:create', ({ workerPool }) => ids.add(workerPool.id));
  events.on('pool:release', ({ workerPool }) => ids.delete(workerPool.id));
  return events;
}
