import { expect, it } from 'vitest';
import type { BusBatch } from '@workledger/shared/event-bus/port.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { history } from '@workledger/infra/testing/events/history.ts';
import { createdTask } from '@workledger/infra/testing/events/task-events.ts';
import { createSkipping } from './skipping.ts';

const batch = (from: number, next: number, events = next - from, partition = 0): BusBatch => ({
  topic: 'task',
  partition,
  from: BigInt(from),
  next: BigInt(next),
  events: Array.from({ length: events }, () => history(streamName('task', newId()), [createdTask({})])[0]!),
  offsets: Array.from({ length: events }, (_, index) => BigInt(from + index)),
});

it('a stretch that was skipped belongs to the batch right behind it', () => {
  const skipping = createSkipping();
  expect(skipping.skip(batch(0, 10))).toBe(true);
  expect(skipping.skip(batch(10, 20))).toBe(true);
  expect(skipping.from(batch(20, 30))).toBe(0n);
});

it('a batch that begins elsewhere, or in another partition, stands for itself', () => {
  const skipping = createSkipping();
  skipping.skip(batch(0, 10));
  expect(skipping.from(batch(12, 20))).toBe(12n);
  expect(skipping.from(batch(10, 20, 10, 1))).toBe(10n);
});

it('what was written, or given up, is forgotten', () => {
  const skipping = createSkipping();
  for (const partition of [0, 1]) skipping.skip(batch(0, 10, 10, partition));
  skipping.forget(batch(10, 20));
  expect(skipping.from(batch(10, 20))).toBe(10n);
  expect(skipping.from(batch(10, 20, 10, 1))).toBe(0n);
  skipping.forgetAll();
  expect(skipping.from(batch(10, 20, 10, 1))).toBe(10n);
});

it('no more than a thousand events are skipped without a write', () => {
  const skipping = createSkipping();
  expect(skipping.skip(batch(0, 600))).toBe(true);
  expect(skipping.skip(batch(600, 1_200))).toBe(false);
  expect(skipping.from(batch(600, 1_200))).toBe(0n);
});

it('a batch without events is written: the bus asks for it', () => {
  const skipping = createSkipping();
  expect(skipping.skip(batch(0, 10_000, 0))).toBe(false);
});
