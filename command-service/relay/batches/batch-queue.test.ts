import { describe, expect, it } from 'vitest';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { createBatchQueue, type RelayBatch } from './batch-queue.ts';

const event = (position: number, { type = 'task', bytes = 10 } = {}): RecordedEvent => ({
  ...anyEvent('x'.repeat(bytes)),
  stream: streamName(type, newId()),
  revision: 0,
  position: BigInt(position),
  recordedAt: new Date(),
});
const events = (count: number): RecordedEvent[] => Array.from({ length: count }, (_, index) => event(index + 1));
const shape = (batch: RelayBatch | null): unknown =>
  batch && [batch.events.map(({ position }) => Number(position)), Number(batch.next)];

describe('a queue of batches for the bus', () => {
  it('cuts by the number of events; the last cut passes what the log passed', () => {
    const queue = createBatchQueue({ events: 2, bytes: 1e6 }, 2);
    queue.add({ events: events(5), next: 9n });
    expect([1, 2, 3, 4].map(() => shape(queue.take()))).toEqual([[[1, 2], 2], [[3, 4], 4], [[5], 9], null]);
  });

  it('cuts by bytes, and gives what is too large for any batch one of its own', () => {
    const queue = createBatchQueue({ events: 10, bytes: 4_000 }, 2);
    queue.add({ events: [event(1), event(2), event(3, { bytes: 9_000 }), event(4), event(5)], next: 5n });
    expect([1, 2, 3, 4].map(() => shape(queue.take()))).toEqual([[[1, 2], 2], [[3], 3], [[4, 5], 5], null]);
  });

  it('joins what comes to what waits, until it is full', () => {
    const queue = createBatchQueue({ events: 3, bytes: 1e6 }, 2);
    for (const each of events(4)) queue.add({ events: [each], next: each.position });
    expect([1, 2, 3].map(() => shape(queue.take()))).toEqual([[[1, 2, 3], 3], [[4], 4], null]);
  });

  it('gives what can still grow only to who asks for any', () => {
    const queue = createBatchQueue({ events: 2, bytes: 1e6 }, 2);
    queue.add({ events: events(3), next: 3n });
    expect([queue.takeWhole(), queue.takeWhole(), queue.take()].map(shape)).toEqual([[[1, 2], 2], null, [[3], 3]]);
  });

  it('leaves out streams without a context, and passes their positions', () => {
    const queue = createBatchQueue({ events: 5, bytes: 1e6 }, 2);
    queue.add({ events: [event(1, { type: 'unheard-of' })], next: 1n });
    expect(shape(queue.take())).toEqual([[], 1]);
    queue.add({ events: [event(2), event(3, { type: 'unheard-of' })], next: 4n });
    expect(shape(queue.take())).toEqual([[2], 4]);
  });

  it('is full when more batches wait than are read ahead', () => {
    const queue = createBatchQueue({ events: 1, bytes: 1e6 }, 2);
    queue.add({ events: events(2), next: 2n });
    expect(queue.isFull()).toBe(false);
    queue.add({ events: [event(3)], next: 3n });
    expect(queue.isFull()).toBe(true);
  });
});
