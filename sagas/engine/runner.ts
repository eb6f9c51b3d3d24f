import { run, type JobHelpers, type Runner, type Task } from 'graphile-worker';
import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { InvalidAppend } from '@workledger/shared/event-log/errors.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import type { Trigger } from './instance.ts';
import { because } from './because.ts';
import { EFFECT_TASKS, jobKey, type EffectJob } from './job.ts';
import { effectId, perform, type Performing } from './perform.ts';
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
  return async (payload: unknown, helpers: JobHelpers) => {
    const job = payload as EffectJob;
    const loaded = await store.load(job.stream);
    await withContext(contextOf(loaded), () => work(loaded, job, helpers));
  };

  async function work(loaded: Loaded, job: EffectJob, helpers: JobHelpers): Promise<void> {
    const state = loaded.instance.effects.get(job.key)?.state;
    if (state === 'requested') {
      const trigger = await running.track(jobKey(job), (signal) => carryOut(options, loaded, job, signal));
      if (trigger === null) await giveBack(job, helpers);
      else await recordResult(store, loaded, trigger);
    } else if (state === 'cancelled') await record(store, loaded, cancelled(job));
    else logger.debug({ job }, 'effect has its result already');
  }
};

const contextOf = ({ stream, origin }: Loaded) => ({
  correlationId: origin?.correlationId ?? stream,
  traceparent: origin?.traceparent ?? null,
  actor: `saga:${stream}`,
});

/** The result to record; null when this process is stopping. */
async function carryOut(
  options: RunnerOptions,
  loaded: Loaded,
  job: EffectJob,
  signal: AbortSignal,
): Promise<Trigger | null> {
  const effect = loaded.instance.requests.get(job.key);
  if (effect === undefined || loaded.origin === null)
    throw new Error(`saga ${job.stream} asked for no effect ${job.key}`);
  const { correlationId, traceparent } = loaded.origin;
  try {
    return await perform(options, job.stream, effect, { correlationId, traceparent }, signal);
  } catch (error) {
    if (signal.aborted) return signal.reason === 'cancelled' ? cancelled(job) : null;
    options.logger.error({ err: error, job }, 'effect could not be carried out: trying again');
    throw error;
  }
}

/** A stop is no failure: a fresh job takes the place of this one, for whoever works next. */
async function giveBack(job: EffectJob, { addJob, job: { task_identifier, max_attempts } }: JobHelpers): Promise<void> {
  await addJob(task_identifier, job, { jobKey: jobKey(job), jobKeyMode: 'replace', maxAttempts: max_attempts });
}

/** A result that the log cannot hold is a failure that no repeat can mend. */
async function recordResult(store: SagaStore, loaded: Loaded, trigger: Trigger): Promise<void> {
  try {
    await record(store, loaded, trigger);
  } catch (error) {
    if (!(error instanceof InvalidAppend)) throw error;
    const { key } = trigger.data as { key: string };
    await record(store, loaded, failedFor(key, `its result cannot be recorded: ${error.message}`));
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

const cancelled = ({ key }: EffectJob): Trigger => failedFor(key, 'cancelled');

const failedFor = (key: string, reason: string): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: because(key, reason), retryable: false, costUsd: null, prompt: null },
});
