import type { Pool } from 'pg';
import { definitionOf } from '@workledger/shared/events/catalogue.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { withoutPersonal } from '@workledger/shared/events/personal.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import { consume, type ConsumptionOptions } from '@workledger/shared/consumption/consume.ts';
import { createProgress } from '@workledger/shared/consumption/progress.ts';
import type { Saga } from './saga.ts';
import { sagaStream, type SagaStore } from './store.ts';

export type CoordinatorOptions = ConsumptionOptions & {
  readonly store: SagaStore;
  readonly pool: Pool;
};

/** Feeds a saga with the events that it correlates, until the signal aborts. Repeats are recognised by the saga's own stream. */
export function runCoordinator(saga: Saga, options: CoordinatorOptions): Promise<void> {
  const group = `saga-${saga.name}`;
  return consume(options, {
    group,
    topics: saga.topics,
    progress: createProgress(options.pool, 'sagas', group),
    receive: async (events) => {
      for (const event of events) {
        const { correlationId, traceparent, actor } = event.metadata;
        await withContext({ correlationId, traceparent, actor }, () => receive(saga, options.store, upcast(event)));
      }
    },
  });
}

async function receive(saga: Saga, store: SagaStore, event: RecordedEvent): Promise<void> {
  const id = saga.correlate(event);
  if (id === null) return;
  const stream = sagaStream(saga, id);
  const { schema } = definitionOf(event.stream, event.type);
  await store.apply(
    stream,
    {
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
    },
    {
      correlationId: event.metadata.correlationId,
      causationId: event.id,
      commandId: derivedId('saga-input', stream, event.id),
      commandHash: event.id,
      actor: `saga:${stream}`,
      traceparent: event.metadata.traceparent,
    },
  );
}
