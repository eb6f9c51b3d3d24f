import type { Pool } from 'pg';
import { definitionOf } from '@workledger/shared/events/catalogue.ts';
import { FromTheFuture, upcast } from '@workledger/shared/events/codec.ts';
import { withoutPersonal } from '@workledger/shared/events/personal.ts';
import type { EventMetadata, RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import { consume, type ConsumptionOptions } from '@workledger/shared/consumption/consume.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import { readSince } from './begun.ts';
import type { Trigger } from './instance.ts';
import type { Parking } from './parking.ts';
import type { Saga } from './saga.ts';
import { isOwnFault, sagaStream, Unfoldable, type SagaStore } from './store.ts';

export type CoordinatorOptions = ConsumptionOptions & {
  readonly store: SagaStore;
  readonly parking: Parking;
  readonly pool: Pool;
};

/**
 * Feeds a saga with the events that it correlates, until the signal aborts. Repeats are recognised by the saga's own stream. An
 * instance that cannot go on stands still alone, with its later inputs behind it.
 */
export function runCoordinator(saga: Saga, options: CoordinatorOptions): Promise<void> {
  const group = `saga-${saga.name}`;
  let since: bigint | null = null;
  return consume(options, {
    group,
    topics: saga.topics,
    progress: createProgress(options.pool, 'sagas', group),
    receive: async (events) => {
      since ??= await options.outages.watch('postgresql', () => readSince(options.pool, group));
      const first = since;
      await receive(
        saga,
        events.filter(({ position }) => position > first),
        options,
      );
    },
  });
}

async function receive(saga: Saga, events: readonly RecordedEvent[], options: CoordinatorOptions): Promise<void> {
  const { store, parking, outages, logger } = options;
  const inPostgres = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  const wanted = events.flatMap((event) => {
    const id = saga.correlate(asCurrent(event));
    return id === null ? [] : [{ event, stream: sagaStream(saga, id) }];
  });
  if (wanted.length === 0) return;
  const parked = await inPostgres(() => parking.parked(wanted.map(({ stream }) => stream)));

  async function take(stream: string, event: RecordedEvent): Promise<void> {
    if (parked.has(stream) && (await inPostgres(() => parking.wait(stream, event)))) return;
    parked.delete(stream);
    try {
      await feed(store, stream, event);
    } catch (error) {
      if (!isOwnFault(error)) throw error;
      await inPostgres(() => parking.park(stream, error.message, event));
      parked.add(stream);
      logger.error({ err: error, saga: stream, input: event.id }, 'a saga cannot go on: it stands still');
    }
  }

  for (const { event, stream } of wanted) {
    const { correlationId, traceparent, actor } = event.metadata;
    await withContext({ correlationId, traceparent, actor }, () => take(stream, event));
  }
}

/**
 * The event as the current version has it, made when somebody looks: most events concern nobody. Where that cannot be made, as it
 * was written: it may still tell whom it concerns.
 */
const asCurrent = (event: RecordedEvent): RecordedEvent => ({
  ...event,
  get data(): unknown {
    try {
      return upcast(event).data;
    } catch {
      return event.data;
    }
  },
});

/** Gives a saga an event. @throws what cannot go on (`isOwnFault`), or what its servers throw */
export async function feed(store: SagaStore, stream: string, recorded: RecordedEvent): Promise<void> {
  const metadata: EventMetadata = {
    correlationId: recorded.metadata.correlationId,
    causationId: recorded.id,
    commandId: derivedId('saga-input', stream, recorded.id),
    commandHash: recorded.id,
    actor: `saga:${stream}`,
    traceparent: recorded.metadata.traceparent,
  };
  await store.apply(stream, inputFrom(recorded), metadata);
}

/** @throws Unfoldable, FromTheFuture */
function inputFrom(recorded: RecordedEvent): Trigger {
  try {
    const event = upcast(recorded);
    const { schema } = definitionOf(event.stream, event.type);
    return {
      type: 'SagaInputReceived',
      data: {
        source: {
          stream: event.stream,
          revision: event.revision,
          eventId: event.id,
          position: String(event.position),
        },
        type: event.type,
        version: event.version,
        data: withoutPersonal(schema, event.data),
      },
    };
  } catch (error) {
    if (error instanceof FromTheFuture) throw error;
    throw new Unfoldable(`${recorded.type} of ${recorded.stream}@${recorded.revision} cannot be read`, error);
  }
}
