import type { Logger } from 'pino';
import { upcast } from '@workledger/shared/events/codec.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { consume } from '@workledger/shared/consumption/consume.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import type { CoordinatorOptions } from '../coordinator.ts';
import type { Parking } from '../parking.ts';
import { isOwnFault, Unfoldable, type SagaStore } from '../store.ts';
import type { OpenEffect, OpenEffects } from './open-effects.ts';
import { jobKey, PERFORMER, type EffectQueue } from './queue.ts';

export type PerformerOptions = CoordinatorOptions & {
  readonly queue: EffectQueue;
  readonly openEffects: OpenEffects;
};

/**
 * Turns requested effects into jobs, until the signal aborts: notes what is open, folds each saga to its head and queues what has
 * no result yet. Where it reads the log, only what is open at the end is looked at: most of what it meets has its result long since.
 */
export function runPerformer(options: PerformerOptions): Promise<void> {
  return consume(options, {
    group: PERFORMER,
    topics: ['saga'],
    progress: createProgress(options.pool, 'sagas', PERFORMER),
    receive: (events, from) => queueEffects(events, options, from === 'bus'),
    caughtUp: async () => void (await sweepOnce(options, 0)),
  });
}

type Told = {
  readonly requested: OpenEffect[];
  readonly cancelled: OpenEffect[];
  readonly settled: Pick<OpenEffect, 'stream' | 'key'>[];
};

/** @param isNews what is open is queued at once, else later, by a sweep */
async function queueEffects(
  events: readonly RecordedEvent[],
  options: PerformerOptions,
  isNews: boolean,
): Promise<void> {
  const { store, queue, openEffects, parking, outages } = options;
  const { requested, cancelled, settled } = whatTheyTell(events.filter(({ stream }) => store.sagaOf(stream) !== null));
  let parked: ReadonlySet<string> = new Set();
  if (requested.length > 0 || settled.length > 0)
    parked = await outages.watch('postgresql', () => openEffects.note(requested, settled));
  for (const effect of cancelled) await outages.watch('postgresql', () => queue.cancel(effect));
  // Of an effect that was given up, too, somebody has to note that it has stopped.
  const givenUp =
    cancelled.length === 0 ? [] : await outages.watch('postgresql', () => parking.unparkEffects(cancelled));
  if (!isNews) return;
  const ended = new Set(settled.map(jobKey));
  const unparked = new Set(givenUp.map(jobKey));
  for (const effect of [...requested, ...cancelled.filter((each) => unparked.has(jobKey(each)))])
    if (!parked.has(effect.stream) && !ended.has(jobKey(effect))) await queueOrPark(effect, options);
}

type Queueing = {
  readonly store: SagaStore;
  readonly queue: Pick<EffectQueue, 'enqueue'>;
  readonly parking: Parking;
  readonly outages: Outages;
  readonly logger: Logger;
};

/** Queues what has no result yet; a saga that cannot be folded stands still. @returns whether it has its result */
export async function queueOrPark(open: OpenEffect, options: Queueing): Promise<'queued' | 'settled' | 'parked'> {
  try {
    return (await queueUnlessSettled(open, options)) ? 'queued' : 'settled';
  } catch (error) {
    if (!isOwnFault(error)) throw error;
    const { stream } = open;
    await options.outages.watch('postgresql', () => options.parking.park(stream, error.message, null));
    options.logger.error({ err: error, saga: stream }, 'a saga cannot go on: it stands still');
    return 'parked';
  }
}

/**
 * Folds the effect's saga to its head and queues what has no result yet.
 * @returns whether it had none @throws LogBehind when the log does not give what it said: nothing may be concluded; Unfoldable
 */
async function queueUnlessSettled(
  { stream, key, revision }: OpenEffect,
  { store, queue, outages }: Queueing,
): Promise<boolean> {
  const { instance } = await store.load(stream, revision);
  if (!instance.effects.has(key)) throw new Unfoldable(`${key} of revision ${revision}`, 'the saga does not know it');
  const effect = instance.requests.get(key);
  if (effect === undefined) return false;
  await outages.watch('postgresql', () => queue.enqueue(stream, effect));
  return true;
}

function whatTheyTell(events: readonly RecordedEvent[]): Told {
  const told: Told = { requested: [], cancelled: [], settled: [] };
  for (const recorded of events) {
    const { stream, revision } = recorded;
    // What it was given is not looked at here: it may be what the saga stands still for.
    if (recorded.type === 'SagaInputReceived') continue;
    const event = upcast(recorded) as unknown as SagaEvent;
    if (event.type === 'SagaEffectRequested') told.requested.push({ stream, key: event.data.effect.key, revision });
    if (event.type === 'SagaEffectCancelled') told.cancelled.push({ stream, key: event.data.key, revision });
    if (event.type === 'SagaEffectSucceeded' || event.type === 'SagaEffectFailed')
      told.settled.push({ stream, key: event.data.key });
  }
  return told;
}

export type SweepOptions = Queueing & {
  readonly openEffects: OpenEffects;
  readonly signal: AbortSignal;
  /** Between two looks; default 30,000. */
  readonly sweepMilliseconds?: number;
};

const EVERY_MILLISECONDS = 30_000;
/** Younger ones are still on their way into the queue. */
const SETTLED_SECONDS = 20;
const PAGE = 200;

/**
 * Queues again, at once and then by and by until the signal aborts, what was requested and has neither a result nor a job: whoever
 * lost it on the way, and whatever became of the queue. Costs what is open, not what ever was.
 */
export async function runSweep(options: SweepOptions): Promise<void> {
  const { outages, logger, signal, sweepMilliseconds = EVERY_MILLISECONDS } = options;
  for (let seconds = 0; !signal.aborted;) {
    try {
      const queued = await sweepOnce(options, seconds);
      if (queued > 0) logger.warn({ effects: queued }, 'effects that had no job are queued again');
      seconds = SETTLED_SECONDS;
    } catch (error) {
      if (!signal.aborted && !outages.isTold(error)) logger.warn({ err: error }, 'sweep failed: trying again');
    }
    await pause(sweepMilliseconds, signal);
  }
}

/** Goes past sagas that cannot be read now. @returns how many effects were queued @throws what keeps all from being read */
async function sweepOnce(options: SweepOptions, seconds: number): Promise<number> {
  const { store, openEffects, outages, logger, signal } = options;
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  let queued = 0;
  let passed = 0;
  let last: OpenEffect | undefined;
  do {
    const page: OpenEffect[] = await inPostgres(() => openEffects.withoutJob(seconds, PAGE, last));
    const settled: OpenEffect[] = [];
    for (const open of page) {
      if (signal.aborted) return queued;
      if (store.sagaOf(open.stream) === null) continue;
      try {
        const came = await queueOrPark(open, options);
        if (came === 'queued') queued += 1;
        if (came === 'settled') settled.push(open);
      } catch (error) {
        if (outages.isTold(error) && !(error instanceof LogBehind)) throw error;
        if (passed++ === 0) logger.warn({ err: error, saga: open.stream }, 'an effect without a job was passed by');
      }
    }
    await inPostgres(() => openEffects.settle(settled));
    last = page.length === PAGE ? page.at(-1) : undefined;
  } while (last !== undefined);
  return queued;
}
