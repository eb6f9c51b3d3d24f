import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import type { RelayBatch } from './batches/batch-queue.ts';
import type { ReadAhead } from './batches/read-ahead.ts';
import type { LastEvent } from './checkpoint.ts';
import type { Lease } from './lease.ts';

/** A bus that cannot lose its topics need not tell their ids. */
export type RelayBus = Pick<EventBus, 'publish' | 'prepare'> & Partial<Pick<EventBus, 'topicIds'>>;

type Prepared = Pick<RelayBatch, 'next'> & {
  /** Null: it has no event. */
  readonly last: LastEvent | null;
  readonly publish: (() => Promise<void>) | null;
};

/**
 * Sends batch after batch, one at a time, in order. When a whole one waits, it is prepared while the one before is under way;
 * one that still grows is left to grow until the bus is free.
 * @param onSent told of every position up to which the bus has acknowledged everything, and of the last event among it, if any is new
 */
export async function sendAll(
  bus: RelayBus,
  batches: ReadAhead,
  options: SendOptions,
  onSent: (position: bigint, last: LastEvent | null) => void,
): Promise<void> {
  let ahead: Promise<Prepared> | null = null;
  for (;;) {
    const batch = await (ahead ?? nextPrepared(bus, batches));
    if (batch === null) return;
    const sending = batch.publish === null ? true : send(batch.publish, options);
    const whole = batches.nextWhole();
    ahead = whole && prepare(bus, whole);
    if (!(await sending)) return;
    onSent(batch.next, batch.last);
  }
}

async function nextPrepared(bus: RelayBus, batches: ReadAhead): Promise<Prepared | null> {
  const batch = await batches.next();
  return batch && prepare(bus, batch);
}

/** What cannot be prepared fails when it is published: it is tried again like all that fails. */
async function prepare(bus: RelayBus, { events, next }: RelayBatch): Promise<Prepared> {
  const event = events.at(-1);
  if (event === undefined) return { next, last: null, publish: null };
  const last = { id: event.id, stream: event.stream, revision: event.revision, position: event.position };
  const ready = await bus.prepare?.(events).catch(() => undefined);
  return { next, last, publish: ready ?? (() => bus.publish(events)) };
}

export type SendOptions = {
  readonly lease: Lease;
  /** The relay shall stop: no attempt is begun any more. */
  readonly signal: AbortSignal;
  readonly outage: Outage;
  /** Runs after each failure, before the next attempt. */
  readonly onFailed: () => Promise<void>;
};

/**
 * Publishes a batch, again and again until the bus takes it: a repeat of what may have arrived, never a gap. The lease is looked
 * at before each attempt, with nothing between the look and the send.
 * @returns false when the lease is lost or the signal aborted: nothing is known of the batch then
 */
async function send(publish: () => Promise<void>, { lease, signal, outage, onFailed }: SendOptions): Promise<boolean> {
  let hasFailed = false;
  const attempt = async (): Promise<boolean> => {
    if (hasFailed) await onFailed();
    if (!(await lease.untilHeld(signal))) return false;
    await publish();
    outage.worked(null);
    return true;
  };
  const sent = await keepTrying(attempt, {
    signal: AbortSignal.any([signal, lease.lost]),
    shortest: 100,
    longest: 2_000,
    onFailed: (error) => {
      hasFailed = true;
      outage.failed(null, error);
    },
  });
  return sent ?? false;
}
