import { run, type Runner, type Task } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { patiently } from '@workledger/shared/resilience/patiently.ts';
import { EFFECT_TASKS, queueLogger } from './queue.ts';
import { workerEvents, type Workers } from './running-jobs.ts';

export type RunnerOptions = {
  readonly pool: Pool;
  readonly task: Task;
  readonly workers: Workers;
  readonly outages: Outages;
  readonly logger: Logger;
  /** Calls of components at once in this process. */
  readonly callConcurrency: number;
  readonly signal: AbortSignal;
};

const QUICK_CONCURRENCY = 4;
/** Each idle worker of the library asks by itself. What comes due by its time, and what came while no notification did, the heartbeat wakes for. */
const LIBRARY_POLL_MILLISECONDS = 60_000;
/** A pool whose workers could not look for a job so many times in a row, a second apart, is replaced. */
const MOST_FAILURES = 5;
/** Workers that fail within so long fail by the same. */
const TOGETHER_MILLISECONDS = 500;
/** A queue's pool that gave up is replaced not faster than this. */
const REST_MILLISECONDS = 500;

/** Works on queued effects until the signal aborts; resolves when the jobs in hand have ended. */
export async function runEffects(options: RunnerOptions): Promise<void> {
  const { command, timer, call } = EFFECT_TASKS;
  await Promise.all([keepRunning([command, timer], QUICK_CONCURRENCY), keepRunning([call], options.callConcurrency)]);

  /** The queue's pool ends itself when it cannot note that a job is done: another takes over, while it ends what it has in hand. */
  async function keepRunning(tasks: readonly string[], concurrency: number): Promise<void> {
    const ending = new Set<Promise<void>>();
    while (!options.signal.aborted) {
      const pool = await startPool(options, tasks, concurrency);
      if (pool === null) break;
      ending.add(pool.ended);
      void pool.ended.finally(() => ending.delete(pool.ended));
      await pool.leaving;
      await pause(REST_MILLISECONDS, options.signal);
    }
    await Promise.all(ending);
  }
}

type WorkerPool = {
  /** Resolves when it takes no more jobs. */
  readonly leaving: Promise<void>;
  /** Resolves when it has ended what it had in hand. */
  readonly ended: Promise<void>;
};

async function startPool(
  { pool, task, workers, outages, logger, signal }: RunnerOptions,
  tasks: readonly string[],
  concurrency: number,
): Promise<WorkerPool | null> {
  const events = workerEvents(workers);
  const leaving = new Promise<void>((resolve) => events.on('pool:gracefulShutdown', () => resolve()));
  // The library asks for the ids of its tasks once, and keeps the answer: a failure, too. Such a pool never takes a job again.
  let failures = 0;
  let failedAt = 0;
  const took = (): void => void (failures = 0);
  events.on('worker:getJob:empty', took).on('job:start', took);
  events.on('worker:getJob:error', ({ error }) => {
    if (performance.now() < failedAt + TOGETHER_MILLISECONDS) return;
    failedAt = performance.now();
    failures += 1;
    if (failures !== MOST_FAILURES) return;
    logger.debug({ err: error }, 'no job could be taken time after time: other workers take over');
    stop();
  });
  const start = (): Promise<Runner> =>
    run({
      pgPool: releasedOnce(pool),
      noHandleSignals: true,
      logger: queueLogger(logger, outages),
      events,
      taskList: Object.fromEntries(tasks.map((name) => [name, task])),
      // Without a batch, a lost connection while a job's end is noted would be an unhandled rejection, which ends the process.
      preset: {
        worker: {
          concurrentJobs: concurrency,
          pollInterval: LIBRARY_POLL_MILLISECONDS,
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    });
  let runner: Runner | null = null;
  const stop = (): void => void runner?.stop().catch(() => undefined);
  runner = await patiently('postgresql', start, { outages, logger, signal }).catch((error: unknown) => {
    if (signal.aborted) return null;
    throw error;
  });
  if (runner === null) return null;
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  const ended = runner.promise
    .catch((error: unknown) => outages.notice('postgresql', error))
    .then(() => signal.removeEventListener('abort', stop));
  return { leaving: Promise.race([leaving, ended]), ended };
}

/**
 * A pool whose clients may be given back twice. The queue's listener does so where its connection breaks while it is stopped, and the error
 * of the second time, which nobody awaits, would end the process.
 */
export function releasedOnce(pool: Pool): Pool {
  type Callback = Parameters<Pool['connect']>[0];
  const connect = (callback?: Callback): unknown => {
    if (callback === undefined) return pool.connect();
    return pool.connect((error, client, release) => {
      let isReleased = false;
      callback(error, client, (reason) => {
        if (isReleased) return;
        isReleased = true;
        release(reason);
      });
    });
  };
  return new Proxy(pool, {
    get: (target, name) => {
      if (name === 'connect') return connect;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
