import { LRUCache } from 'lru-cache';
import { encode, FromTheFuture, upcast } from '@workledger/shared/events/codec.ts';
import type { EventMetadata, NewEvent, RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { InvalidAppend, LogBehind, OutcomeUnknown, RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import { sizeInMemory } from '@workledger/shared/events/event-size.ts';
import { accept, fold, newInstance, type Instance, type Trigger } from './instance.ts';
import { type Outages, watchEach } from '@workledger/shared/resilience/outages/outages.ts';
import type { Saga } from './saga.ts';

/** A saga's instance as its stream tells it; moves on as the stream is read on. */
export type Loaded = {
  readonly stream: string;
  readonly revision: number;
  readonly instance: Instance<unknown>;
  /** Of the event that started it. */
  readonly origin: Pick<EventMetadata, 'correlationId' | 'traceparent'> | null;
};

/** A saga that this program cannot move: its history, what it was given, or what follows from it. Another try is vain. */
export class Unfoldable extends Error {
  override name = 'Unfoldable';
  constructor(what: string, cause: unknown) {
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Whether an error is the saga's own, and no server's: it stands still until somebody mends it. */
export const isOwnFault = (error: unknown): error is Error =>
  error instanceof Unfoldable || error instanceof InvalidAppend;

export type SagaStore = {
  sagaOf(stream: string): Saga | null;
  /**
   * Folds the stream to its head.
   * @param reaches a revision that it has for certain; default: nothing is known
   * @throws LogBehind when the log does not give what it said that it holds; Unfoldable; FromTheFuture
   */
  load(stream: string, reaches?: number): Promise<Loaded>;
  /**
   * Appends the trigger and what follows from it; answers the saga's events of this append, none for a repeat.
   * @param reaches as for `load` @throws as `load`, and InvalidAppend
   */
  apply(stream: string, trigger: Trigger, metadata: EventMetadata, reaches?: number): Promise<readonly SagaEvent[]>;
};

export type SagaStoreOptions = {
  readonly log: EventLog;
  readonly sagas: readonly Saga[];
  readonly outages: Outages;
  /** By which timers are due. */
  readonly now: () => Date;
  /** About how many bytes of instances are kept; default 64 MiB. */
  readonly cacheBytes?: number;
};

const CACHED_INSTANCES = 2_000;
const CACHED_BYTES = 64 * 1024 * 1024;

/** An instance in memory, and about how large it is. */
type Kept = { -readonly [Key in keyof Loaded]: Loaded[Key] } & { bytes: number; bytesSinceMeasured: number };

/** Loads and moves saga instances in the log; conflicts are decided again on the newer state. */
export function createSagaStore(options: SagaStoreOptions): SagaStore {
  const { log, sagas, outages, now, cacheBytes = CACHED_BYTES } = options;
  const byType = new Map(sagas.map((saga) => [`saga-${saga.name}`, saga]));
  const cache = new LRUCache<string, Kept>({ max: CACHED_INSTANCES, maxSize: cacheBytes });
  const sagaOf = (stream: string): Saga | null => byType.get(streamType(stream)) ?? null;

  async function load(stream: string, reaches = -1): Promise<Loaded> {
    const saga = sagaOf(stream);
    if (saga === null) throw new FromTheFuture(`${stream} is of no saga that this program knows; update it`);
    const kept = cache.get(stream) ?? newKept(saga, stream);
    const before = kept.revision;
    try {
      const events = readKnown(log, stream, { from: before + 1, reaches });
      for await (const recorded of watchEach(outages, 'event-log', events)) {
        // Who read the same stream meanwhile may have folded some of it.
        if (recorded.revision <= kept.revision) continue;
        if (recorded.revision > kept.revision + 1) throw new LogBehind(stream, recorded.revision - 1, kept.revision);
        foldIn(saga, kept, recorded);
      }
    } catch (error) {
      // Nobody goes on from what may be folded by half.
      if (isOwnFault(error)) cache.delete(stream);
      throw error;
    }
    if (kept.revision > before) keep(kept);
    return kept;
  }

  function keep(kept: Kept): void {
    // Measured whole only after it has grown by its own size: in sum that is as much work as the folding.
    if (kept.bytesSinceMeasured >= kept.bytes) {
      kept.bytes = sizeInMemory(kept.instance);
      kept.bytesSinceMeasured = 0;
    }
    cache.delete(kept.stream);
    cache.set(kept.stream, kept, { size: kept.bytes + kept.bytesSinceMeasured + 1 });
  }

  async function apply(
    stream: string,
    trigger: Trigger,
    metadata: EventMetadata,
    reaches = -1,
  ): Promise<readonly SagaEvent[]> {
    for (let known = reaches; ;) {
      const { instance, revision } = await load(stream, known);
      const { events, encoded } = decide(sagaOf(stream) as Saga, { stream, instance }, trigger, metadata, now());
      if (events.length === 0) return [];
      const expected = revision === -1 ? 'none' : revision;
      try {
        await outages.watch('event-log', () => log.append(stream, encoded, expected));
        return events;
      } catch (error) {
        if (!(error instanceof RevisionConflict) && !(error instanceof OutcomeUnknown)) throw error;
        if (error instanceof RevisionConflict && error.actual !== 'none') known = error.actual;
      }
    }
  }

  return { sagaOf, load, apply };
}

const newKept = (saga: Saga, stream: string): Kept => ({
  ...{ stream, revision: -1, instance: newInstance(saga), origin: null },
  ...{ bytes: 0, bytesSinceMeasured: 0 },
});

/** @throws Unfoldable, FromTheFuture: the instance is as it was */
function foldIn(saga: Saga, kept: Kept, recorded: RecordedEvent): void {
  try {
    fold(saga, kept.instance, upcast(recorded) as SagaEvent);
  } catch (error) {
    if (error instanceof FromTheFuture) throw error;
    throw new Unfoldable(`${recorded.type} at revision ${recorded.revision} cannot be folded`, error);
  }
  kept.revision = recorded.revision;
  kept.origin ??= recorded.metadata;
  kept.bytesSinceMeasured += sizeInMemory(recorded.data);
}

/** @throws Unfoldable when the saga throws, or decides what is no event */
function decide(
  saga: Saga,
  { stream, instance }: Pick<Loaded, 'stream' | 'instance'>,
  trigger: Trigger,
  metadata: EventMetadata,
  now: Date,
): { events: readonly SagaEvent[]; encoded: NewEvent[] } {
  try {
    const events = accept(saga, instance, trigger, now);
    return { events, encoded: encode(stream, events, metadata) };
  } catch (error) {
    throw new Unfoldable(`nothing can be decided on ${nameOf(trigger)}`, error);
  }
}

const nameOf = ({ type, data }: Trigger): string =>
  type === 'SagaInputReceived'
    ? `${data.type} of ${data.source.stream}@${data.source.revision}`
    : `${type} ${data.key}`;

/** The stream of a saga's instance. */
export const sagaStream = (saga: Pick<Saga, 'name'>, id: string): string => streamName(`saga-${saga.name}`, id);
