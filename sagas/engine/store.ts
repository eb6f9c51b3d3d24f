import { LRUCache } from 'lru-cache';
import { encode, upcast } from '@workledger/shared/events/codec.ts';
import type { EventMetadata, RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamName, streamType } from '@workledger/shared/contexts/stream.ts';
import { OutcomeUnknown, RevisionConflict } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import { accept, evolve, newInstance, type Instance, type Trigger } from './instance.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import type { Saga } from './saga.ts';

/** A saga's instance as its stream tells it. */
export type Loaded = {
  readonly stream: string;
  readonly revision: number;
  readonly instance: Instance<unknown>;
  /** Of the event that started it. */
  readonly origin: Pick<EventMetadata, 'correlationId' | 'traceparent'> | null;
};

export type SagaStore = {
  sagaOf(stream: string): Saga | null;
  /**
   * Folds the stream to its head.
   * @param reaches a revision that it has for certain; default: nothing is known
   * @throws LogBehind when the log does not give what it said that it holds
   */
  load(stream: string, reaches?: number): Promise<Loaded>;
  /**
   * Appends the trigger and what follows from it; answers the saga's events of this append, none for a repeat.
   * @param reaches as for `load` @throws LogBehind
   */
  apply(stream: string, trigger: Trigger, metadata: EventMetadata, reaches?: number): Promise<readonly SagaEvent[]>;
};

const CACHED_INSTANCES = 2_000;

/** Loads and moves saga instances in the log; conflicts are decided again on the newer state. */
export function createSagaStore(log: EventLog, sagas: readonly Saga[], outages: Outages): SagaStore {
  const byType = new Map(sagas.map((saga) => [`saga-${saga.name}`, saga]));
  const cache = new LRUCache<string, Loaded>({ max: CACHED_INSTANCES });
  const sagaOf = (stream: string): Saga | null => byType.get(streamType(stream)) ?? null;

  async function read(stream: string, from: number, reaches: number): Promise<RecordedEvent[]> {
    const events: RecordedEvent[] = [];
    for await (const recorded of readKnown(log, stream, { from, reaches })) events.push(recorded);
    return events;
  }

  async function load(stream: string, reaches = -1): Promise<Loaded> {
    const saga = sagaOf(stream);
    if (saga === null) throw new Error(`no saga for stream ${stream}`);
    let loaded = cache.get(stream) ?? { stream, revision: -1, instance: newInstance(saga), origin: null };
    const from = loaded.revision + 1;
    for (const recorded of await outages.watch('event-log', () => read(stream, from, reaches))) {
      const event = upcast(recorded);
      loaded = {
        stream,
        revision: recorded.revision,
        instance: evolve(saga, loaded.instance, event as SagaEvent),
        origin: loaded.origin ?? recorded.metadata,
      };
    }
    cache.set(stream, loaded);
    return loaded;
  }

  async function apply(
    stream: string,
    trigger: Trigger,
    metadata: EventMetadata,
    reaches = -1,
  ): Promise<readonly SagaEvent[]> {
    for (let known = reaches; ;) {
      const { instance, revision } = await load(stream, known);
      const events = accept(sagaOf(stream) as Saga, instance, trigger, new Date());
      if (events.length === 0) return [];
      const encoded = encode(stream, events, metadata);
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

/** The stream of a saga's instance. */
export const sagaStream = (saga: Pick<Saga, 'name'>, id: string): string => streamName(`saga-${saga.name}`, id);
