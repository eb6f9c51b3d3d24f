import { expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { anyEvent } from '@workledger/infra/testing/events/any-event.ts';
import { createPartitionQueue, drop, offer, replace } from './partition-queue.ts';

const stream = streamName('task', newId());
const event = (position: number, characters: number): RecordedEvent => ({
  ...anyEvent({ text: 'x'.repeat(characters) }),
  stream,
  revision: position,
  position: BigInt(position),
  recordedAt: new Date(),
});

it.each([
  ['500 small ones', 10, 500],
  ['a megabyte of large ones', 250_000, 5],
])('a partition whose handler fails keeps %s, and knows from where it has to read again', (_, characters, kept) => {
  const queue = createPartitionQueue({ topic: 'task', partition: 0 }, 0n);
  queue.failing = true;
  for (let position = 1; position <= 600; position++) offer(queue, event(position, characters));
  expect(queue.pending).toHaveLength(kept);
  expect(queue.missingFrom).toBe(BigInt(kept + 1));
});

it('knows how many bytes are pending, whatever comes and goes', () => {
  const queue = createPartitionQueue({ topic: 'task', partition: 0 }, 0n);
  for (let position = 1; position <= 10; position++) offer(queue, event(position, position * 100));
  const all = queue.bytes;
  expect(all).toBeGreaterThan(5_500);
  drop(queue, 9);
  expect(queue.bytes).toBeLessThan(all / 3);
  drop(queue, 1);
  expect(queue.bytes).toBe(0);
  replace(queue, [event(11, 5_000)]);
  expect(queue.bytes).toBeGreaterThan(5_000);
});
