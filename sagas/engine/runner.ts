import { run, type JobHelpers, type Runner, type Task } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { Trigger } from './instance.ts';
import { EFFECT_TASKS, jobKey, type EffectJob } from './job.ts';
import { effectId, perform, plainFailure, type Performing } from './perform.ts';
import type { RunningJobs } from './running-jobs.ts';
import type { Loaded, SagaStore } from './store.ts';
import { workerEvents, type Workers } from './workers.ts';
import { queueLogger } from './queue-logger.ts';

export type RunnerOptions = Performing & {
  readonly pool: Pool;
  readonly store: SagaStore;
  readonly workers: Workers;
  readonly running: RunningJobs;
  readonly logger: Logger;
  /** Calls of components at once in this process. */
  readonly callConcurrency: number;
};

const QUICK_CONCURRENCY = 4;
const POLL_MILLISECONDS = 1_000;

/** Works on queued effects until `stop`, which aborts running calls: they come again elsewhere or after the restart. */
export async function startRunner(options: RunnerOptions): Promise<{ stop(): Promise<void> }> {
  const task = effectTask(options);
  const start = (tasks: readonly string[], concurrency: number): Promise<Runner> =>
    run({
      pgPool: options.pool,
      concurrency,
      pollInterval: POLL_MILLISECONDS,
      noHandleSignals: true,
      logger: queueLogger(options.logger),
      events: workerEvents(options.workers),
      taskList: Object.fromEntries(tasks.map((name) => [name, task])),
    });
  const runners = await Promise.all([
    start([EFFECT_TASKS.command, EFFECT_TASKS.timer], QUICK_CONCURRENCY),
    start([EFFECT_TASKS.call], options.callConcurrency),
  ]);
  return {
    stop: async () => {
      options.running.abortAll();
      await Promise.all(runners.map((runner) => runner.stop()));
    },
  };
}

const effectTask = (options: RunnerOptions): Task => {
  const { store, running, logger } = options;
  return async (payload: unknown, _helpers: JobHelpers) => {
    const job = payload as EffectJob;
    const loaded = await store.load(job.stream);
    const state = loaded.instance.effects.get(job.key)?.state;
    if (state === 'requested') {
      const trigger = await running.track(jobKey(job), (signal) => carryOut(options, loaded, job, signal));
      if (trigger !== null) await record(store, loaded, trigger);
    } else if (state === 'cancelled') await record(store, loaded, cancelled(job));
    else logger.debug({ job }, 'effect has its result already');
  };
};

async function carryOut(options: RunnerOptions, loaded: Loaded, job: EffectJob, signal: AbortSignal): Promise<Trigger> {
  const effect = loaded.instance.requests.get(job.key);
  if (effect === undefined || loaded.origin === null)
    throw new Error(`saga ${job.stream} asked for no effect ${job.key}`);
  const { correlationId, traceparent } = loaded.origin;
  try {
    return await perform(options, job.stream, effect, { correlationId, traceparent }, signal);
  } catch (error) {
    if (signal.aborted && signal.reason === 'cancelled') return cancelled(job);
    if (!signal.aborted) options.logger.error({ err: error, job }, 'effect could not be carried out: trying again');
    throw error;
  }
}

async function record(store: SagaStore, { stream, origin }: Loaded, trigger: Trigger): Promise<void> {
  const key = (trigger.data as { key: string }).key;
  const commandId = effectId(stream, key);
  await store.apply(stream, trigger, {
    correlationId: origin?.correlationId ?? commandId,
    causationId: commandId,
    commandId,
    commandHash: commandId,
    actor: `saga:${stream}`,
    traceparent: origin?.traceparent ?? null,
  });
}

const cancelled = ({ key }: EffectJob): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: plainFailure(key, 'cancelled'), retryable: false, costUsd: null, prompt: null },
});
