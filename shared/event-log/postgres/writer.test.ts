import { expect, it } from 'vitest';
import type { CheckedAppend } from '../check-append.ts';
import { takeBatch, type QueuedAppend } from './writer.ts';

const queued = (stream: string, bytes = 100): QueuedAppend => {
  const append: CheckedAppend = { stream, expected: 'none', events: [], bytes };
  return { append, since: 0, resolve: () => undefined, reject: () => undefined };
};
const streams = (queue: readonly QueuedAppend[]): string[] => queue.map(({ append }) => append.stream);

it('takes one append a stream, in order, and leaves the others in order', () => {
  const queue = ['a', 'b', 'a', 'c', 'a', 'b'].map((stream) => queued(stream));
  const { batch, rest } = takeBatch(queue);
  expect(batch).toEqual([queue[0], queue[1], queue[3]]);
  expect(rest).toEqual([queue[2], queue[4], queue[5]]);
  expect(streams(takeBatch(rest).batch)).toEqual(['a', 'b']);
});

it('takes at most 500 appends', () => {
  const { batch, rest } = takeBatch(Array.from({ length: 1200 }, (_, number) => queued(`stream-${number}`)));
  expect([batch.length, rest.length]).toEqual([500, 700]);
});

it('stops at four megabytes, but always takes one', () => {
  const mebibyte = 1024 * 1024;
  const { batch } = takeBatch(Array.from({ length: 20 }, (_, number) => queued(`stream-${number}`, mebibyte)));
  expect(batch).toHaveLength(4);
  expect(takeBatch([queued('large', 9 * mebibyte)]).batch).toHaveLength(1);
});

it('loses and doubles nothing', () => {
  let queue: readonly QueuedAppend[] = Array.from({ length: 3000 }, (_, number) => queued(`stream-${number % 7}`));
  const all = new Set(queue);
  const taken: QueuedAppend[] = [];
  while (queue.length > 0) {
    const { batch, rest } = takeBatch(queue);
    taken.push(...batch);
    queue = rest;
  }
  expect(taken).toHaveLength(3000);
  expect(new Set(taken)).toEqual(all);
});
