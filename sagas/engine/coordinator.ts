import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { BusBatch, EventBus } from '@workledger/shared/event-bus/port.ts';
import { definitionOf } from '@workledger/shared/events/catalogue.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { withoutPersonal } from '@workledger/shared/events/personal.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { derivedId } from '@workledger/shared/events/stream.ts';
import { withContext } from '@workledger/shared/telemetry/request-context.ts';
import { createProgress } from './progress.ts';
import type { Saga } from './saga.ts';
import { sagaStream, type SagaStore } from './store.ts';

export type CoordinatorOptions = {
  readonly bus: EventBus;
  readonly store: SagaStore;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

/** Feeds a saga with the events that it correlates, until the signal aborts. Repeats are recognised by the saga's own stream. */
export function runCoordinator(saga: Saga, { bus, store, pool, logger, signal }: CoordinatorOptions): Promise<void> {
  const group = `saga-${saga.name}`;
  const progress = createProgress(pool, group);

  async function handle(batch: BusBatch): Promise<bigint> {
    for (const event of batch.events) {
      const { correlationId, traceparent, actor } = event.metadata;
      await withContext({ correlationId, traceparent, actor }, () => receive(saga, store, upcast(event)));
    }
    return progress.advance(batch);
  }

  return bus.consume(
    { group, topics: saga.topics, signal },
    {
      resume: progress.resume,
      handle: (batch) =>
        handle(batch).catch((error: unknown) => {
          logger.error(
            { err: error, saga: saga.name, partition: batch.partition },
            'saga input failed: it will come again',
          );
          throw error;
        }),
    },
  );
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
        source: { stream: event.stream, revision: event.revision, eventId: event.id },
        type: event.type,
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
