import type { JobHelpers, Task } from 'graphile-worker';
import type { Logger } from 'pino';
import { InvalidAppend, LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { type Patience, patiently } from '@workledger/shared/resilience/patiently.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import { because } from '../component.ts';
import type { Trigger } from '../instance.ts';
import type { Loaded, SagaStore } from '../store.ts';
import { effectId, perform, type Performing } from './perform.ts';
import { type EffectJob, jobKey } from './queue.ts';
import type { RunningJobs } from './running-jobs.ts';

/** Waits until the signal aborts. @throws when it is not recorded: the effect comes again, here or elsewhere */
type RecordResult = (saga: Loaded, trigger: Trigger, signal: AbortSignal) => Promise<void>;

/**
 * Records what came of an effect, however long the log is away: what took an hour is not done again for that. A result that the
 * log cannot hold is a failure that no repeat can mend.
 */
function createRecordResult(store: SagaStore, patience: Omit<Patience, 'signal'>): RecordResult {
  return async (saga, trigger, signal) => {
    const key = (trigger.data as { key: string }).key;
    const write = (): Promise<void> => recordOrFail(key, saga, trigger);
    await (signal.aborted ? write() : patiently('event-log', write, { ...patience, signal }));
  };

  async function recordOrFail(key: string, saga: Loaded, trigger: Trigger): Promise<void> {
    try {
      await record(key, saga, trigger);
    } catch (error) {
      if (!(error instanceof InvalidAppend)) throw error;
      await record(key, saga, failedFor(key, `its result cannot be recorded: ${error.message}`));
    }
  }

  async function record(key: string, { stream, origin, revision }: Loaded, trigger: Trigger): Promise<void> {
    const commandId = effectId(stream, key);
    const metadata = {
      correlationId: origin?.correlationId ?? commandId,
      causationId: commandId,
      commandId,
      commandHash: commandId,
      actor: `saga:${stream}`,
      traceparent: origin?.traceparent ?? null,
    };
    await store.apply(stream, trigger, metadata, revision);
  }
}

/** Of an effect that was cancelled and runs no more. */
const cancelled = ({ key }: EffectJob): Trigger => failedFor(key, 'cancelled');

/** Of an effect that cannot succeed, whoever tries. */
const failedFor = (key: string, reason: string): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: because(key, reason), retryable: false, costUsd: null, prompt: null },
});

export type EffectTaskOptions = Performing & {
  readonly store: SagaStore;
  readonly running: RunningJobs;
  readonly outages: Outages;
  readonly logger: Logger;
};

/** What is done with one job: look whether its result stands, else carry the effect out and record the result. */
export function effectTask(options: EffectTaskOptions): Task {
  const { store, running, outages, logger } = options;
  const recordResult = createRecordResult(store, { outages, logger });

  return async (payload: unknown, helpers: JobHelpers) => {
    const job = payload as EffectJob;
    await running.track(jobKey(job), async (signal) => {
      try {
        const loaded = await store.load(job.stream);
        await withContext(contextOf(loaded), () => work(loaded, job, helpers, signal));
      } catch (error) {
        if (!signal.aborted && !outages.isTold(error))
          logger.error({ err: error, job }, 'effect could not be carried out: trying again');
        throw error;
      }
    });
  };

  async function work(loaded: Loaded, job: EffectJob, helpers: JobHelpers, signal: AbortSignal): Promise<void> {
    const state = loaded.instance.effects.get(job.key)?.state;
    // Whoever queued it has read the request in this stream.
    if (state === undefined) throw new LogBehind(`${job.stream} with its request ${job.key}`, 0, loaded.revision);
    if (state === 'cancelled') return recordResult(loaded, cancelled(job), signal);
    if (state !== 'requested') return logger.debug({ job }, 'effect has its result already');
    const trigger = await carryOut(loaded, job, signal);
    if (trigger === null) return leave(job, helpers, signal);
    await recordResult(loaded, trigger, signal);
  }

  /** The result to record; null when this process has to leave it to another one. */
  async function carryOut(loaded: Loaded, job: EffectJob, signal: AbortSignal): Promise<Trigger | null> {
    const effect = loaded.instance.requests.get(job.key);
    if (effect === undefined || loaded.origin === null)
      throw new Error(`saga ${job.stream} asked for no effect ${job.key}`);
    const { correlationId, traceparent } = loaded.origin;
    try {
      return await perform(options, job.stream, effect, { correlationId, traceparent }, signal);
    } catch (error) {
      if (signal.aborted) return signal.reason === 'cancelled' ? cancelled(job) : null;
      throw error;
    }
  }

  async function leave(job: EffectJob, helpers: JobHelpers, { reason }: AbortSignal): Promise<void> {
    if (reason === 'lost') logger.warn({ job }, 'another worker has taken this effect over: stopped here');
    else await giveBack(job, helpers);
  }
}

const contextOf = ({ stream, origin }: Loaded) => ({
  correlationId: origin?.correlationId ?? stream,
  traceparent: origin?.traceparent ?? null,
  actor: `saga:${stream}`,
});

/** A stop is no failure: a fresh job takes the place of this one, for whoever works next. */
async function giveBack(job: EffectJob, { addJob, job: { task_identifier, max_attempts } }: JobHelpers): Promise<void> {
  await addJob(task_identifier, job, { jobKey: jobKey(job), jobKeyMode: 'replace', maxAttempts: max_attempts });
}
