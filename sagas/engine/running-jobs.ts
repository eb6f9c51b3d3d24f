import type { Pool } from 'pg';

/** The effects that this process is carrying out now, each with its way to stop it. */
export type RunningJobs = {
  /** Runs the work; its signal aborts with the reason `cancelled` or `stopping`. */
  track<Result>(jobKey: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result>;
  /** Aborts what was cancelled, by whichever process. */
  abortCancelled(pool: Pool): Promise<void>;
  abortAll(): void;
};

export function createRunningJobs(): RunningJobs {
  const controllers = new Map<string, AbortController>();
  return {
    track: async (jobKey, work) => {
      const controller = new AbortController();
      controllers.set(jobKey, controller);
      try {
        return await work(controller.signal);
      } finally {
        controllers.delete(jobKey);
      }
    },
    abortCancelled: async (pool) => {
      if (controllers.size === 0) return;
      const { rows } = await pool.query<{ job_key: string }>(
        'select job_key from sagas.cancelled_effects where job_key = any ($1)',
        [[...controllers.keys()]],
      );
      for (const { job_key } of rows) controllers.get(job_key)?.abort('cancelled');
    },
    abortAll: () => {
      for (const controller of controllers.values()) controller.abort('stopping');
    },
  };
}
