import { setMaxListeners } from 'node:events';
import type { EventLog } from '../../event-log/port.ts';
import type { Context } from '../../contexts/define-events.ts';
import {
  OffsetOutOfRange,
  PARTITIONS,
  partitionKey,
  PAUSES,
  type ConsumeError,
  type ConsumeOptions,
  type Consumer,
  type EventBus,
  type TopicPartition,
} from '../port.ts';
import { contextOf, streamTypesOf } from '../../events/catalogue.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { createWakeUps } from '../../resilience/wake-ups.ts';
import { partitionOf } from '../partition.ts';
import { createLiveTail, followLog, type LiveTail } from './live-tail.ts';
import { createPartitionQueue, isFarBehindWithoutEvents, offer, type PartitionQueue } from './partition-queue.ts';
import { workPartition } from './work-partition.ts';

export type InProcessBusOptions = {
  /** Told of every failure of a handler, and of the log when a batch is read again; all of them are tried again. */
  readonly onError?: (error: ConsumeError) => void;
};

/** Offsets are positions of the log: there is only one topic of each name, ever. */
const IN_LOG = 'log';

const partitionsOf = (topic: Context): TopicPartition[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));

/**
 * The bus of a single process: its groups follow the log, those that have caught up all over one tail, so there is nothing to
 * publish. Offsets are positions. The log belongs to the caller and must stay open until `close` has resolved.
 */
export function createInProcessBus(log: EventLog, options: InProcessBusOptions = {}): EventBus {
  const closing = new AbortController();
  const running = new Map<string, Promise<void>>();
  const tail = createLiveTail(log);

  return {
    publish: () => Promise.reject(new Error('the in-process bus reads the log itself: do not run a relay beside it')),

    consume: async (consumeOptions, consumer) => {
      const { group, topics, topicIds } = consumeOptions;
      if (running.has(group))
        throw new Error(
          `group "${group}" already has its one member on this bus: give the other consumer its own group`,
        );
      const lost = topics.filter((topic) => (topicIds?.get(topic) ?? IN_LOG) !== IN_LOG);
      if (lost.length > 0) throw new OffsetOutOfRange(lost.flatMap(partitionsOf));
      const signal = AbortSignal.any([consumeOptions.signal, closing.signal]);
      const onError = options.onError ?? (() => undefined);
      const consuming = consumeLog(log, { ...consumeOptions, signal }, consumer, onError, tail);
      running.set(group, consuming);
      try {
        await consuming;
      } finally {
        running.delete(group);
      }
    },

    endOffsets: async (topics) => {
      const end = (await log.head()) + 1n;
      return new Map(topics.flatMap(partitionsOf).map((partition) => [partitionKey(partition), end]));
    },

    topicIds: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, IN_LOG]))),

    close: async () => {
      closing.abort();
      await Promise.allSettled(running.values());
    },
  };
}

/** A group stops reading ahead when healthy partitions hold so many events, or so many bytes of them. */
const READ_AHEAD = 2_000;
const READ_AHEAD_BYTES = 4 * 1024 * 1024;

/** Runs one consumer over the log until the signal aborts and every batch in hand is done. */
async function consumeLog(
  log: EventLog,
  { group, topics, signal }: ConsumeOptions,
  consumer: Consumer,
  onError: (error: ConsumeError) => void,
  tail: LiveTail,
): Promise<void> {
  const partitions = allPartitions(topics);
  const offsets = await keepTrying(() => consumer.resume(partitions), {
    ...PAUSES,
    signal,
    onFailed: (error, attempt) => onError({ group, partition: null, attempt, error }),
  });
  if (offsets === null) return;
  const queues = new Map(
    partitions.map((partition) => {
      const key = partitionKey(partition);
      return [key, createPartitionQueue(partition, offsets.get(key) ?? 0n)];
    }),
  );

  const stopping = new AbortController();
  const anySignal = AbortSignal.any([signal, stopping.signal]);
  // Every partition listens: that many are no leak.
  setMaxListeners(0, anySignal);
  let position = startOf(queues);
  const taken = createWakeUps();
  const workers = [...queues.values()].map((queue) =>
    workPartition(queue, {
      log,
      consumer,
      signal: anySignal,
      tail: () => position,
      onTaken: taken.wake,
      onError: (error, attempt) =>
        onError({ group, partition: { topic: queue.topic, partition: queue.partition }, attempt, error }),
    }),
  );

  try {
    const streams = topics.flatMap(streamTypesOf);
    for await (const batch of followLog(log, tail, { after: position, streams, signal: anySignal })) {
      // In one go: no worker may see the position without its events.
      for (const event of batch.events) offerTo(queues, event);
      position = batch.next;
      for (const queue of queues.values()) if (isFarBehindWithoutEvents(queue, position)) queue.wakeUps.wake();
      while (isFull(queues) && !anySignal.aborted) await taken.next(null, anySignal);
    }
  } finally {
    stopping.abort();
    await Promise.all(workers);
  }
}

const allPartitions = (topics: ConsumeOptions['topics']): TopicPartition[] =>
  topics.flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })));

/** The tail starts before the partition that is furthest back. */
function startOf(queues: ReadonlyMap<string, PartitionQueue>): bigint {
  const offsets = [...queues.values()].map(({ progress }) => progress);
  const lowest = offsets.reduce((least, offset) => (offset < least ? offset : least), offsets[0] ?? 0n);
  return lowest > 0n ? lowest - 1n : 0n;
}

function offerTo(queues: ReadonlyMap<string, PartitionQueue>, event: RecordedEvent): void {
  const topic = contextOf(event.stream);
  if (topic === null || !queues.has(partitionKey({ topic, partition: 0 }))) return;
  const queue = queues.get(partitionKey({ topic, partition: partitionOf(event.stream) }));
  if (queue !== undefined) offer(queue, event);
}

function isFull(queues: ReadonlyMap<string, PartitionQueue>): boolean {
  let held = 0;
  let bytes = 0;
  for (const queue of queues.values()) {
    if (queue.failing) continue;
    held += queue.pending.length;
    bytes += queue.bytes;
  }
  return held >= READ_AHEAD || bytes >= READ_AHEAD_BYTES;
}
