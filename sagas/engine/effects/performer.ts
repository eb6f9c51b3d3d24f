import { upcast } from '@workledger/shared/events/codec.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import type { SagaEvent } from '@workledger/shared/events/saga.ts';
import { consume } from '../consume.ts';
import type { CoordinatorOptions } from '../coordinator.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { createProgress } from '../progress.ts';
import type { SagaStore } from '../store.ts';
import { PERFORMER, type EffectQueue } from './queue.ts';

export type PerformerOptions = CoordinatorOptions & { readonly queue: EffectQueue };

/**
 * Turns requested effects into jobs, until the signal aborts: folds each saga to its head and queues what has no result yet.
 * A queue that was lost is filled again from the log.
 */
export function runPerformer(options: PerformerOptions): Promise<void> {
  return consume(options, {
    group: PERFORMER,
    topics: ['saga'],
    progress: createProgress(options.pool, PERFORMER),
    receive: (events) => queueEffects(events, options.store, options.queue, options.outages),
  });
}

async function queueEffects(
  events: readonly RecordedEvent[],
  store: SagaStore,
  queue: EffectQueue,
  outages: Outages,
): Promise<void> {
  const requested = new Map<string, Set<string>>();
  for (const recorded of events) {
    if (store.sagaOf(recorded.stream) === null) continue;
    const event = upcast(recorded) as unknown as SagaEvent;
    if (event.type === 'SagaEffectRequested') {
      const keys = requested.get(recorded.stream) ?? new Set();
      requested.set(recorded.stream, keys.add(event.data.effect.key));
    } else if (event.type === 'SagaEffectCancelled')
      await outages.watch('postgresql', () => queue.cancel({ stream: recorded.stream, key: event.data.key }));
  }
  for (const [stream, keys] of requested) {
    const { instance } = await store.load(stream);
    for (const key of keys) {
      const effect = instance.requests.get(key);
      const state = instance.effects.get(key)?.state;
      if (effect !== undefined && (state === 'requested' || state === 'cancelled'))
        await outages.watch('postgresql', () => queue.enqueue(stream, effect));
    }
  }
}
