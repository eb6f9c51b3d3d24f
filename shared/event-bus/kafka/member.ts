import { once } from 'node:events';
import type { Consumer as KafkaConsumer, EachBatchPayload } from 'kafkajs';
import type { Context } from '../../contexts/define-events.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { withDeadline } from '../../resilience/with-deadline.ts';
import type { Logger } from '../../telemetry/logger.ts';
import {
  type ConsumeError,
  type ConsumeOptions,
  type Consumer,
  type Offset,
  OffsetOutOfRange,
  partitionKey,
  type TopicPartition,
} from '../port.ts';
import type { Client } from './client.ts';
import type { Cluster, OffsetRange } from './cluster.ts';
import { decodeBatch } from './fetched.ts';
import { createPartitionQueue, type PartitionQueue } from './partition-queue.ts';
import {
  DISCONNECT_TIMEOUT,
  FETCH_WAIT,
  HEARTBEAT_INTERVAL,
  REBALANCE_TIMEOUT,
  RETRY,
  SESSION_TIMEOUT,
  TOPICS_LOOK,
  SILENCE,
} from './timing.ts';

export type MemberOptions = ConsumeOptions & {
  readonly client: Client;
  readonly cluster: Cluster;
  readonly consumer: Consumer;
  readonly logger: Logger;
  readonly onError: (error: ConsumeError) => void;
  /** Told when all partitions assigned have their place. */
  readonly onPlaced: () => void;
  /** The partitions of this member, kept up to date. */
  readonly queues: Map<string, PartitionQueue>;
};

/**
 * One membership in a group, from joining to leaving. Progress is the consumer's own: with every assignment each partition is
 * held, asked about, and sought to where the consumer goes on; Kafka stores no offset.
 * @returns when the signal has aborted and all batches in hand are done
 * @throws OffsetOutOfRange; any other Error when the membership is lost: join anew
 */
export async function runMember(options: MemberOptions): Promise<void> {
  const { client, cluster, group, topics, signal, queues } = options;
  const kafka = createKafkaConsumer(client, group);
  const watch = watchMember(kafka);
  const leaving = new AbortController();
  let fail = (_: unknown): void => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const partitions = createAssignment(options, kafka, fail);
  kafka.on(kafka.events.GROUP_JOIN, ({ payload }) => partitions.assign(payload.memberAssignment));

  async function join(): Promise<void> {
    await kafka.connect();
    await kafka.subscribe({ topics: topics.map(cluster.names.nameOf), fromBeginning: true });
    await kafka.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: partitions.take });
  }

  try {
    if (signal.aborted) return;
    const stopped = once(signal, 'abort', { signal: leaving.signal });
    stopped.catch(() => undefined);
    const joined = join();
    await Promise.race([joined.then(() => stopped), stopped, watch.lost, failed]);
  } finally {
    watch.stop();
    leaving.abort();
    partitions.stop();
    await Promise.all([...queues.values()].map((queue) => queue.clear()));
    queues.clear();
    await withDeadline(kafka.disconnect(), DISCONNECT_TIMEOUT, 'leaving the group').catch(() => undefined);
    client.kill();
  }
}

const createKafkaConsumer = (client: Client, group: string): KafkaConsumer =>
  client.kafka.consumer({
    groupId: group,
    sessionTimeout: SESSION_TIMEOUT,
    heartbeatInterval: HEARTBEAT_INTERVAL,
    rebalanceTimeout: REBALANCE_TIMEOUT,
    maxWaitTimeInMs: FETCH_WAIT,
    // No less than a producer may send at once, or kafkajs fetches halves of it.
    maxBytesPerPartition: 1_048_576,
    maxBytes: 4_000_000,
    allowAutoTopicCreation: false,
    // Who has crashed is rebuilt from the start, sockets included.
    retry: { ...RETRY, restartOnFailure: () => Promise.resolve(false) },
  });

function createAssignment(options: MemberOptions, kafka: KafkaConsumer, fail: (error: unknown) => void) {
  const { cluster, consumer, group, queues, onError, onPlaced, logger, signal } = options;
  const { names } = cluster;
  let placing = new AbortController();
  let watching: NodeJS.Timeout | undefined;

  const hold = (held: boolean, { topic, partition }: TopicPartition): void =>
    kafka[held ? 'pause' : 'resume']([{ topic: names.nameOf(topic), partitions: [partition] }]);

  const queueOf = (partition: TopicPartition): PartitionQueue => {
    const key = partitionKey(partition);
    const queue =
      queues.get(key) ??
      createPartitionQueue({
        partition,
        handle: consumer.handle,
        seek: (offset) =>
          kafka.seek({ topic: names.nameOf(partition.topic), partition: partition.partition, offset: String(offset) }),
        hold: (held) => hold(held, partition),
        onError: (error, attempt) => onError({ group, partition, attempt, error }),
      });
    queues.set(key, queue);
    return queue;
  };

  async function place(partitions: readonly TopicPartition[], current: AbortSignal): Promise<void> {
    await Promise.all([...queues.values()].map((queue) => queue.clear()));
    if (current.aborted) return;
    queues.clear();
    const offsets = await keepTrying(() => consumer.resume(partitions), {
      signal: current,
      shortest: 50,
      longest: 1_000,
      onFailed: (error, attempt) => onError({ group, partition: null, attempt, error }),
    });
    if (offsets === null || current.aborted) return;
    const placed = partitions.map((partition) => ({
      ...partition,
      offset: offsets.get(partitionKey(partition)) ?? 0n,
    }));
    const topics = [...new Set(placed.map(({ topic }) => topic))];
    const ids = await cluster.topicIds(topics);
    const remade = partitions.filter(
      ({ topic }) => ids.get(topic) !== (options.topicIds?.get(topic) ?? ids.get(topic)),
    );
    const lost = remade.length > 0 ? remade : outOfRange(placed, await cluster.ranges(topics));
    if (current.aborted) return;
    if (lost.length > 0) throw new OffsetOutOfRange(lost);
    watchTopics(ids, current);
    for (const { topic, partition, offset } of placed) {
      queueOf({ topic, partition }).place(offset);
      hold(false, { topic, partition });
    }
    onPlaced();
  }

  /** Topics that are made anew while nobody fetches from them look like the old ones: they are looked at now and then. */
  function watchTopics(ids: ReadonlyMap<Context, string>, current: AbortSignal): void {
    clearInterval(watching);
    watching = setInterval(() => {
      cluster.topicIds([...ids.keys()]).then(
        (now) => {
          if (!current.aborted && [...now].some(([topic, id]) => id !== ids.get(topic)))
            fail(new Error('Kafka topics were made anew'));
        },
        // Whether Kafka is there is noticed by fetching.
        () => undefined,
      );
    }, TOPICS_LOOK);
  }

  return {
    stop: (): void => clearInterval(watching),
    /** Runs to its first `await` before kafkajs fetches anything. */
    assign: (memberAssignment: Readonly<Record<string, readonly number[]>>): void => {
      const partitions = Object.entries(memberAssignment).flatMap(([topic, numbers]) =>
        numbers.map((partition) => ({ topic: names.contextOf(topic), partition })),
      );
      for (const partition of partitions) hold(true, partition);
      placing.abort();
      placing = new AbortController();
      const mine = placing.signal;
      place(partitions, AbortSignal.any([signal, mine])).catch((error: unknown) => {
        if (!mine.aborted) fail(error);
      });
    },
    take: async ({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> => {
      const queue = queues.get(partitionKey({ topic: names.contextOf(batch.topic), partition: batch.partition }));
      const expected = queue?.expects() ?? null;
      const first = batch.firstOffset();
      if (queue === undefined || expected === null || first === null || isStale()) return;
      if (BigInt(first) !== expected) {
        // kafkajs found the offset out of range and went elsewhere: joining anew looks at it.
        fail(new Error(`Kafka gave offset ${first} of ${partitionKey(queue.partition)}, not ${expected}`));
        return;
      }
      queue.offer(decodeBatch(batch, logger));
      resolveOffset(batch.lastOffset());
    },
  };
}

type Placed = TopicPartition & { readonly offset: Offset };

/** The partitions that cannot go on from their offset. kafkajs would start them somewhere else without a word. */
const outOfRange = (placed: readonly Placed[], ranges: ReadonlyMap<string, OffsetRange>): TopicPartition[] =>
  placed
    .filter(({ offset, ...partition }) => {
      const range = ranges.get(partitionKey(partition));
      return range === undefined || offset < range.low || offset > range.high;
    })
    .map(({ topic, partition }) => ({ topic, partition }));

/**
 * Watches over a member of a group: rejects when kafkajs has given it up, or has not been heard of for too long (it has been seen
 * to wait for an answer for ever).
 */
function watchMember(consumer: KafkaConsumer): { readonly lost: Promise<never>; stop(): void } {
  let heard = performance.now();
  const hear = (): void => void (heard = performance.now());
  const { FETCH, HEARTBEAT, GROUP_JOIN, REBALANCING, CRASH } = consumer.events;
  consumer.on(FETCH, hear);
  consumer.on(HEARTBEAT, hear);
  consumer.on(GROUP_JOIN, hear);
  consumer.on(REBALANCING, hear);
  let timer: NodeJS.Timeout | undefined;
  const lost = new Promise<never>((_, reject) => {
    consumer.on(CRASH, ({ payload }) => reject(payload.error));
    timer = setInterval(() => {
      const silence = performance.now() - heard;
      if (silence > SILENCE) reject(new Error(`nothing heard of Kafka for ${Math.round(silence / 1_000)} s`));
    }, 1_000);
  });
  return { lost, stop: () => clearInterval(timer) };
}
