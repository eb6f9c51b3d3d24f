import type { JobHelpers, Task } from 'graphile-worker';
import type { Logger } from 'pino';
import { derivedId, newId } from '@workledger/shared/contexts/stream.ts';
import { FromTheFuture } from '@workledger/shared/events/codec.ts';
import { InvalidAppend, LogBehind, RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { isAccessRefused, isAway } from '@workledger/shared/resilience/outages/signs.ts';
import { type Patience, patiently } from '@workledger/shared/resilience/patiently.ts';
import { backOff } from '@workledger/shared/resilience/pause.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import { because, ComponentFailure, NotBegun, Postponed } from '../component.ts';
import type { Trigger } from '../instance.ts';
import type { DatabaseClock } from '../database-clock.ts';
import type { Parking } from '../parking.ts';
import { isOwnFault, type Loaded, type SagaStore } from '../store.ts';
import { effectId, perform, type Performing } from './perform.ts';
import { type EffectJob, jobKey } from './queue.ts';
import type { RunningJobs } from './running-jobs.ts';

/** Waits until the signal aborts. @throws when it is not recorded: the effect comes again, here or elsewhere */
type RecordResult = (saga: Loaded, trigger: Trigger, signal: AbortSignal) => Promise<void>;

/**
 * Records what came of an effect, however long the log is away: what took an hour is not done again for that. A result that the
 * log cannot hold is a failure that no repeat can mend. What the saga itself cannot take is thrown at once.
 */
function createRecordResult(record: RecordOnce, patience: Omit<Patience, 'signal'>): RecordResult {
  return async (saga, trigger, signal) => {
    const key = (trigger.data as { key: string }).key;
    // Given back, not thrown: it says nothing of the log.
    const write = (): Promise<Error | null> =>
      recordOrFail(key, saga, trigger).then(
        () => null,
        (error: unknown) => {
          if (isOwnFault(error) || error instanceof FromTheFuture) return error;
          throw error;
        },
      );
    const failure = await (signal.aborted ? write() : patiently('event-log', write, { ...patience, signal }));
    if (failure !== null) throw failure;
  };

  async function recordOrFail(key: string, saga: Loaded, trigger: Trigger): Promise<void> {
    try {
      await record(saga, trigger, effectId(saga.stream, key));
    } catch (error) {
      if (!(error instanceof InvalidAppend)) throw error;
      const failure = failedFor(key, `its result cannot be recorded: ${error.message}`);
      await record(saga, failure, effectId(saga.stream, key));
    }
  }
}

/** @param commandId under which it is recorded once */
type RecordOnce = (saga: Loaded, trigger: Trigger, commandId: string) => Promise<void>;

const createRecord =
  (store: SagaStore): RecordOnce =>
  async ({ stream, origin, revision }, trigger, commandId) => {
    const metadata = {
      correlationId: origin?.correlationId ?? commandId,
      causationId: commandId,
      commandId,
      commandHash: commandId,
      actor: `saga:${stream}`,
      traceparent: origin?.traceparent ?? null,
    };
    await store.apply(stream, trigger, metadata, revision);
  };

/** Of an effect that was cancelled and runs no more. */
const cancelled = ({ key }: EffectJob): Trigger => failedFor(key, 'cancelled');

/** Of an effect that cannot succeed, whoever tries. */
const failedFor = (key: string, reason: string): Trigger => ({
  type: 'SagaEffectFailed',
  data: { key, failure: because(key, reason), retryable: false, costUsd: null, prompt: null },
});

/** Its failure is no result: whoever asked for it has no other way. */
class GivenUp extends Error {
  override name = 'GivenUp';
}

/** How often an effect is tried that fails for reasons that are no outage, and the pauses between: milliseconds. */
export type Tries = { readonly most: number; readonly shortest: number; readonly longest: number };

/** Milliseconds between two looks whether a postponed effect can be done. */
const POSTPONED = { shortest: 1_000, longest: 300_000 };
const TRIES: Tries = { most: 10, shortest: 1_000, longest: 60_000 };

export type EffectTaskOptions = Performing & {
  readonly store: SagaStore;
  readonly parking: Parking;
  readonly clock: Pick<DatabaseClock, 'now'>;
  /** Default: 10, from one second to a minute apart. */
  readonly tries?: Tries | undefined;
  readonly running: RunningJobs;
  readonly outages: Outages;
  readonly logger: Logger;
};

/**
 * What is done with one job: look whether its result stands, else carry the effect out and record the result. A saga that cannot be
 * folded, or cannot take the result, stands still; an effect that fails time after time is given up; the job ends in both cases.
 */
export function effectTask(options: EffectTaskOptions): Task {
  const { store, parking, clock, running, outages, logger, tries = TRIES } = options;
  const record = createRecord(store);
  const recordResult = createRecordResult(record, { outages, logger });
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  let toldOfFuture = '';

  return async (payload: unknown, helpers: JobHelpers) => {
    const job = payload as EffectJob;
    await running.track(jobKey(job), async (signal) => {
      try {
        const loaded = await store.load(job.stream);
        await withContext(contextOf(loaded), () => work(loaded, job, helpers, signal));
      } catch (error) {
        if (isOwnFault(error)) return standStill(job, error);
        if (!signal.aborted && !isKnown(error))
          logger.error({ err: error, job }, 'effect could not be carried out: trying again');
        throw error;
      }
    });
  };

  /** Outages are told by those who meet them, and a saga of a newer program once. */
  function isKnown(error: unknown): boolean {
    if (!(error instanceof FromTheFuture)) return outages.isTold(error);
    const known = error.message === toldOfFuture;
    toldOfFuture = error.message;
    return known;
  }

  async function standStill({ stream }: EffectJob, error: Error): Promise<void> {
    await inPostgres(() => parking.park(stream, error.message, null));
    logger.error({ err: error, saga: stream }, 'a saga cannot go on: it stands still');
  }

  async function work(loaded: Loaded, job: EffectJob, helpers: JobHelpers, signal: AbortSignal): Promise<void> {
    const state = loaded.instance.effects.get(job.key)?.state;
    // Whoever queued it has read the request in this stream.
    if (state === undefined) throw new LogBehind(`${job.stream} with its request ${job.key}`, 0, loaded.revision);
    if (state === 'cancelled') return recordResult(loaded, cancelled(job), signal);
    if (state !== 'requested') return logger.debug({ job }, 'effect has its result already');
    let trigger: Trigger | null;
    try {
      trigger = await carryOut(loaded, job, signal);
    } catch (error) {
      if (error instanceof Postponed) return postpone(loaded, job, helpers, error);
      if (error instanceof GivenUp) return giveUp(job, error.message, { err: error, job: jobKey(job) });
      if (isPassing(error)) throw error;
      return tryLater(job, helpers, error);
    }
    if (trigger === null) return leave(job, helpers, signal);
    await recordResult(loaded, trigger, signal);
  }

  /** What a server that is away, or busy, ends by itself: it is no try. */
  function isPassing(error: unknown): boolean {
    if (error instanceof RevisionConflict || error instanceof FromTheFuture) return true;
    return outages.isTold(error) || isAway(error) || isAccessRefused(error);
  }

  /** It is no try: what it waits for may take days. The saga's stream tells the reason once. */
  async function postpone(loaded: Loaded, job: EffectJob, helpers: JobHelpers, { failure }: Postponed): Promise<void> {
    const { stream, key } = job;
    if (loaded.instance.postponed.get(key) !== failure.reason) {
      await record(loaded, { type: 'SagaEffectPostponed', data: { key, failure } }, newId());
      logger.warn({ job: jobKey(job), reason: failure.reason }, 'an effect waits');
    }
    const postponed = (job.postponed ?? 0) + 1;
    const milliseconds = backOff(postponed - 1, POSTPONED.shortest, POSTPONED.longest);
    await putBack({ stream, key, postponed }, helpers, new Date(clock.now().getTime() + milliseconds));
  }

  async function tryLater(job: EffectJob, helpers: JobHelpers, error: unknown): Promise<void> {
    const failures = (job.failures ?? 0) + 1;
    const facts = { err: error, job: jobKey(job), failures };
    if (failures >= tries.most) {
      const reason = error instanceof Error ? error.message : String(error);
      return giveUp(job, `failed ${failures} times: ${reason}`, facts);
    }
    const milliseconds = backOff(failures - 1, tries.shortest, tries.longest);
    await putBack({ ...job, failures }, helpers, new Date(clock.now().getTime() + milliseconds));
    logger.error({ ...facts, retryInMs: milliseconds }, 'effect could not be carried out: trying again');
  }

  async function giveUp(job: EffectJob, reason: string, facts: object): Promise<void> {
    await inPostgres(() => parking.parkEffect(job, reason));
    logger.error(facts, 'effect is given up: it stands under what is parked');
  }

  /** The result to record; null when this process has to leave it to another one, or to its next start, which may be worth a note. */
  async function carryOut(loaded: Loaded, job: EffectJob, signal: AbortSignal): Promise<Trigger | null> {
    const effect = loaded.instance.requests.get(job.key);
    if (effect === undefined || loaded.origin === null)
      throw new Error(`saga ${job.stream} asked for no effect ${job.key}`);
    const { correlationId, traceparent } = loaded.origin;
    try {
      const result = await perform(options, job.stream, effect, { correlationId, traceparent }, signal);
      if (effect.kind === 'call' && effect.parksFailure && result.type === 'SagaEffectFailed')
        throw new GivenUp(result.data.failure.reason);
      return result;
    } catch (error) {
      if (signal.aborted && signal.reason === 'cancelled') return cancelled(job);
      if (!signal.aborted) throw error;
      if (effect.kind === 'call' && signal.reason === 'stopping' && !(error instanceof NotBegun))
        await noteInterruption(loaded, job.key, error);
      return null;
    }
  }

  /** Whoever stops does not wait for a log that is away: then nobody knows. */
  async function noteInterruption(loaded: Loaded, key: string, error: unknown): Promise<void> {
    const times = (loaded.instance.interruptions.get(key) ?? 0) + 1;
    const known = error instanceof ComponentFailure ? error.failure : because(key, '');
    const failure = { ...known, reason: 'interrupted by a restart: it begins anew' };
    const trigger: Trigger = { type: 'SagaEffectInterrupted', data: { key, failure, times } };
    await record(loaded, trigger, derivedId('interrupted', loaded.stream, key, String(times))).catch(
      (reason: unknown) =>
        logger.warn({ err: reason, effect: key }, 'that an effect was interrupted could not be recorded'),
    );
  }

  async function leave(job: EffectJob, helpers: JobHelpers, { reason }: AbortSignal): Promise<void> {
    if (reason === 'lost') logger.warn({ job }, 'another worker has taken this effect over: stopped here');
    else await putBack(job, helpers);
  }
}

const contextOf = ({ stream, origin }: Loaded) => ({
  correlationId: origin?.correlationId ?? stream,
  traceparent: origin?.traceparent ?? null,
  actor: `saga:${stream}`,
});

/** A stop is no failure, and a failure no outage: a fresh job takes the place of this one, for whoever works next. */
async function putBack(
  job: EffectJob,
  { addJob, job: { task_identifier, max_attempts } }: JobHelpers,
  runAt?: Date,
): Promise<void> {
  await addJob(task_identifier, job, {
    ...{ jobKey: jobKey(job), jobKeyMode: 'replace', maxAttempts: max_attempts },
    ...(runAt !== undefined && { runAt }),
  });
}
