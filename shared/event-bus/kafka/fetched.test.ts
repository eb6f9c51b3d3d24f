import type { Batch, KafkaMessage } from 'kafkajs';
import { expect, it } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import type { BusBatch } from '../port.ts';
import { decodeBatch } from './fetched.ts';
import { messageOf } from './message.ts';
import { createPartitionQueue, type Fetched } from './partition-queue.ts';
import { createRecorder } from './testing/feed.ts';

type Sent = Pick<KafkaMessage, 'value' | 'headers'>;

const batchOf = (messages: readonly Sent[]): Batch => ({
  topic: 'test.task',
  partition: 3,
  highWatermark: String(messages.length),
  isEmpty: () => messages.length === 0,
  firstOffset: () => '0',
  lastOffset: () => String(messages.length - 1),
  offsetLag: () => '0',
  offsetLagLow: () => '0',
  messages: messages.map((message, offset) => ({
    ...message,
    key: null,
    timestamp: '0',
    attributes: 0,
    offset: String(offset),
  })),
});

/** Handles what was fetched until it stands still; answers what was handled and what was told. */
async function handleAll(fetched: Fetched): Promise<{ handled: BusBatch[]; told: unknown[]; progress: bigint | null }> {
  const handled: BusBatch[] = [];
  const told: unknown[] = [];
  let stop = (): void => undefined;
  const still = new Promise<void>((resolve) => (stop = resolve));
  const queue = createPartitionQueue({
    partition: { topic: 'task', partition: 3 },
    handle: (batch) => {
      handled.push(batch);
      if (batch.next === fetched.next) stop();
      return Promise.resolve(batch.next);
    },
    seek: () => undefined,
    hold: () => undefined,
    onError: (error) => {
      told.push(error);
      stop();
    },
  });
  queue.place(0n);
  queue.offer(fetched);
  await still;
  await new Promise((resolve) => setImmediate(resolve));
  const progress = queue.progress();
  await queue.clear();
  return { handled, told, progress };
}

const stream = streamName('task', newId());
const events = createRecorder()(stream, 3);
const [first, second, third] = events.map((event): Sent => messageOf(event) as Sent);
const damaged = (message: Sent): Sent => ({
  ...message,
  value: Buffer.from(String(message.value).replace('"revision":1', '"revision":"one"')),
});

it('a partition stands still before an event that cannot be read, and says where it is', async () => {
  const { logger } = captureLog();
  for (const message of [damaged(second!), { ...damaged(second!), headers: {} }]) {
    const { handled, told, progress } = await handleAll(decodeBatch(batchOf([first!, message, third!]), logger));
    expect(handled.map(({ from, next, events: own }) => [from, next, own.map(({ revision }) => revision)])).toEqual([
      [0n, 1n, [0]],
    ]);
    expect(progress).toBe(1n);
    expect(String(told[0])).toContain('offset 1 of test.task/3 cannot be read');
    expect(String(told[0])).toContain('revision is no whole number');
  }
});

it('a message that is no CloudEvent is told and passed over', async () => {
  const { logger, lines } = captureLog();
  const foreign: Sent = { value: Buffer.from('hello'), headers: {} };
  const { handled, told, progress } = await handleAll(decodeBatch(batchOf([first!, foreign, second!]), logger));
  expect(handled.flatMap(({ events: own }) => own.map(({ revision }) => revision))).toEqual([0, 1]);
  expect([told, progress]).toEqual([[], 3n]);
  expect(lines()).toMatchObject([{ offset: '1', msg: 'a message that is no event of Workledger was passed over' }]);
});
