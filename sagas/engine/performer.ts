import type { Pool } from 'pg';
import type { Logger } from 'pino';
import type { BusBatch, EventBus } from '@workledger/shared/event-bus/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { SagaEvent } from '@workledger/shared/events/saga.ts';
import { createProgress } from './progress.ts';
import type { EffectQueue } from './queue.ts';
import type { SagaStore } from './store.ts';

export type PerformerOptions = {
  readonly bus: EventBus;
  readonly store: SagaStore;
  readonly queue: EffectQueue;
  readonly pool: Pool;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

const GROUP = 'saga-performer';

/**
 * Turns requested effects into jobs, until the signal aborts: folds each saga to its head and queues what has no result yet.
 * A queue that was lost is filled again from the log.
 */
export async function runPerformer({ bus, store, queue, pool, logger, signal }: PerformerOptions): Promise<void> {
  const progress = createProgress(pool, GROUP);
  if (await queue.isNew()) {
    await progress.forget();
    await queue.markFilled();
  }
  await bus.consume(
    { group: GROUP, topics: ['saga'], signal },
    {
      resume: progress.resume,
      handle: async (batch) => {
        try {
          await queueEffects(batch, store, queue);
        } catch (error) {
          logger.error({ err: error, partition: batch.partition }, 'effects could not be queued: trying again');
          throw error;
        }
        return progress.advance(batch);
      },
    },
  );
}

async function queueEffects(batch: BusBatch, store: SagaStore, queue: EffectQueue): Promise<void> {
  const requested = new Map<string, Set<string>>();
  for (const recorded of batch.events) {
    if (store.sagaOf(recorded.stream) === null) continue;
    const event = upcast(recorded) as unknown as SagaEvent;
    if (event.type === 'SagaEffectRequested') {
      const keys = requested.get(recorded.stream) ?? new Set();
      requested.set(recorded.stream, keys.add(event.data.effect.key));
    } else if (event.type === 'SagaEffectCancelled')
      await queue.cancel({ stream: recorded.stream, key: event.data.key });
  }
  for (const [stream, keys] of requested) {
    const { instance } = await store.load(stream);
    for (const key of keys) {
      const effect = instance.requests.get(key);
      const state = instance.effects.get(key)?.state;
      if (effect !== undefined && (state === 'requested' || state === 'cancelled')) await queue.enqueue(stream, effect);
    }
  }
}
