import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { newId, streamName } from '../../contexts/stream.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { OffsetOutOfRange } from '../port.ts';
import { startConsumer } from '../testing.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createRecorder, loseTopics } from './testing/feed.ts';

vi.setConfig({ testTimeout: 120_000 });

describeWithKafka('topics that were lost', () => {
  let topicPrefix: string;
  let bus: KafkaBus;
  const open = (): KafkaBus => {
    const { logger } = captureLog();
    return createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger, topicPrefix, publishTimeout: 3_000 });
  };
  beforeEach(() => {
    topicPrefix = `test-${newId()}`;
    bus = open();
  });
  afterEach(() => bus.close());

  const stream = streamName('task', newId());
  /** As the relay: until it works. */
  const publish = (events: Parameters<KafkaBus['publish']>[0]): Promise<unknown> =>
    keepTrying(() => bus.publish(events), {
      shortest: 100,
      longest: 2_000,
      onFailed: (error, attempt) => {
        if (attempt > 20) throw error;
      },
    });

  it('are made again by those who publish and consume on a bus that lives on', async () => {
    const record = createRecorder();
    const consumer = startConsumer(bus, { group: 'lives-on' });
    await vi.waitUntil(async () => (await bus.lag('lives-on')).size === 12, { timeout: 40_000 });
    await loseTopics(kafkaBrokers(), topicPrefix);
    await publish(record(stream, 3));
    await vi.waitUntil(() => consumer.events(stream).length >= 3, { timeout: 60_000 });
    await consumer.stop();
    expect(new Set(consumer.events(stream).map(({ revision }) => revision))).toEqual(new Set([0, 1, 2]));
  });

  it('are told from those that were made anew, though the offset is in range again', async () => {
    const record = createRecorder();
    await publish(record(stream, 3));
    const topicIds = await bus.topicIds(['task']);
    const events = record(stream, 5);
    await loseTopics(kafkaBrokers(), topicPrefix);
    await publish(events);
    expect((await bus.topicIds(['task'])).get('task')).not.toBe(topicIds.get('task'));
    const signal = new AbortController().signal;
    const handled: number[] = [];
    const consuming = bus.consume(
      { group: 'went-away', topics: ['task'], topicIds, signal },
      {
        resume: (partitions) => Promise.resolve(new Map(partitions.map((p) => [`${p.topic}/${p.partition}`, 0n]))),
        handle: (batch) => {
          handled.push(batch.events.length);
          return Promise.resolve(batch.next);
        },
      },
    );
    await expect(consuming).rejects.toThrow(OffsetOutOfRange);
    expect(handled).toEqual([]);
  });

  it('are told from those that were made anew under a member that held no event yet', async () => {
    const topicIds = await bus.topicIds(['task']);
    const resumed = vi.fn();
    const consuming = bus.consume(
      { group: 'stays', topics: ['task'], topicIds, signal: new AbortController().signal },
      {
        resume: () => {
          resumed();
          return Promise.resolve(new Map());
        },
        handle: (batch) => Promise.resolve(batch.next),
      },
    );
    const refused = expect(consuming).rejects.toThrow(OffsetOutOfRange);
    await vi.waitUntil(() => resumed.mock.calls.length > 0, { timeout: 40_000 });
    await loseTopics(kafkaBrokers(), topicPrefix);
    await refused;
  });
});
