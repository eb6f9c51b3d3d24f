import { Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, afterEach, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { partitionOf } from '../partition.ts';
import { OffsetOutOfRange, partitionKey, type TopicPartition } from '../port.ts';
import { startConsumer } from '../testing.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createFeed } from './testing/feed.ts';

describeWithKafka('offsets', () => {
  let topicPrefix: string;
  let bus: KafkaBus;
  let admin: Admin;
  const open = (): KafkaBus =>
    createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
  beforeAll(async () => {
    admin = new Kafka({ brokers: [...kafkaBrokers()], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  beforeEach(async () => {
    topicPrefix = `test-${newId()}`;
    bus = open();
    await bus.ensureTopics();
  });
  afterEach(() => bus.close());
  afterAll(() => admin.disconnect());

  const stream = streamName('task', newId());
  const place: TopicPartition = { topic: 'task', partition: partitionOf(stream) };
  const failureOf = (running: Promise<unknown>): Promise<unknown> =>
    running.then(
      () => 'ended without a failure',
      (error: unknown) => error,
    );

  it('that Kafka has not reached are refused', async () => {
    await createFeed(bus)(stream, 3);
    const consumer = startConsumer(bus, { progress: new Map([[partitionKey(place), 4n]]) });
    const failure = await failureOf(consumer.ended);
    expect(failure).toBeInstanceOf(OffsetOutOfRange);
    expect((failure as OffsetOutOfRange).partitions).toEqual([place]);
  });

  it('that Kafka has deleted are refused', async () => {
    await createFeed(bus)(stream, 3);
    // Makes the client acquainted with the topic, which is young.
    const known = (): Promise<boolean> =>
      admin.fetchTopicOffsets(`${topicPrefix}.task`).then(
        () => true,
        () => false,
      );
    await vi.waitUntil(known, { timeout: 20_000 });
    await admin.deleteTopicRecords({
      topic: `${topicPrefix}.task`,
      partitions: [{ partition: place.partition, offset: '2' }],
    });
    const failure = await failureOf(startConsumer(bus, { progress: new Map([[partitionKey(place), 1n]]) }).ended);
    expect(failure).toBeInstanceOf(OffsetOutOfRange);
    const kept = startConsumer(bus, { progress: new Map([[partitionKey(place), 2n]]) });
    await vi.waitUntil(() => kept.events(stream).length > 0, { timeout: 20_000 });
    await kept.stop();
    expect(kept.events(stream).map(({ revision }) => revision)).toEqual([2]);
  });

  it('of a topic that was made anew under a running consumer are refused, and not started over without a word', async () => {
    await createFeed(bus)(stream, 5);
    const consumer = startConsumer(bus);
    const failure = failureOf(consumer.ended);
    await vi.waitUntil(() => consumer.events(stream).length === 5, { timeout: 20_000 });
    await admin.deleteTopics({ topics: [`${topicPrefix}.task`] });
    const other = open();
    await vi.waitUntil(
      () =>
        other.ensureTopics().then(
          () => true,
          () => false,
        ),
      { timeout: 20_000 },
    );
    await createFeed(other)(stream, 1);
    expect(await failure).toBeInstanceOf(OffsetOutOfRange);
    await other.close();
    expect(consumer.events(stream)).toHaveLength(5);
  });

  it('tell how many events wait for a group', async () => {
    const feed = createFeed(bus);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const consumer = startConsumer(bus, { group: 'slow', handle: () => held.then(() => undefined) });
    await feed(stream, 3);
    await vi.waitUntil(async () => (await bus.lag('slow')).get(partitionKey(place)) === 3n, { timeout: 20_000 });
    release();
    await vi.waitUntil(async () => (await bus.lag('slow')).get(partitionKey(place)) === 0n, { timeout: 20_000 });
    expect((await bus.lag('slow')).size).toBe(12);
    await consumer.stop();
    expect((await bus.lag('slow')).size).toBe(0);
  });
});
