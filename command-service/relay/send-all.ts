import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { RelayBatch } from './batches/batch-queue.ts';
import type { ReadAhead } from './batches/read-ahead.ts';
import { send, type SendOptions } from './send.ts';

/** A bus that cannot lose its topics need not tell their ids. */
export type RelayBus = Pick<EventBus, 'publish' | 'prepare'> & Partial<Pick<EventBus, 'topicIds'>>;

type Prepared = { readonly next: bigint; readonly publish: (() => Promise<void>) | null };

/**
 * Sends batch after batch, one at a time, in order. When a whole one waits, it is prepared while the one before is under way;
 * one that still grows is left to grow until the bus is free.
 * @param onSent told of every position up to which the bus has acknowledged everything
 */
export async function sendAll(
  bus: RelayBus,
  batches: ReadAhead,
  options: SendOptions,
  onSent: (position: bigint) => void,
): Promise<void> {
  let ahead: Promise<Prepared> | null = null;
  for (;;) {
    const batch = await (ahead ?? nextPrepared(bus, batches));
    if (batch === null) return;
    const sending = batch.publish === null ? true : send(batch.publish, options);
    const whole = batches.nextWhole();
    ahead = whole && prepare(bus, whole);
    if (!(await sending)) return;
    onSent(batch.next);
  }
}

async function nextPrepared(bus: RelayBus, batches: ReadAhead): Promise<Prepared | null> {
  const batch = await batches.next();
  return batch && prepare(bus, batch);
}

/** What cannot be prepared fails when it is published: it is tried again like all that fails. */
async function prepare(bus: RelayBus, { events, next }: RelayBatch): Promise<Prepared> {
  if (events.length === 0) return { next, publish: null };
  const ready = await bus.prepare?.(events).catch(() => undefined);
  return { next, publish: ready ?? (() => bus.publish(events)) };
}
