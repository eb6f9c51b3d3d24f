import { ConfigResourceTypes, Kafka, logLevel, type Admin } from 'kafkajs';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { contexts } from '../../events/catalogue.ts';
import { newId } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { startConsumer } from '../testing.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createFeed } from './testing/feed.ts';

describeWithKafka('topics', () => {
  let admin: Admin;
  const opened: KafkaBus[] = [];
  const open = (topicPrefix: string): KafkaBus => {
    const bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
    opened.push(bus);
    return bus;
  };
  beforeAll(async () => {
    admin = new Kafka({ brokers: [...kafkaBrokers()], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
  });
  afterEach(async () => {
    for (const bus of opened.splice(0)) await bus.close();
  });
  afterAll(() => admin.disconnect());

  const settingsOf = async (topic: string): Promise<Record<string, string>> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    return Object.fromEntries(
      resources.flatMap(({ configEntries }) =>
        configEntries.map(({ configName, configValue }) => [configName, configValue]),
      ),
    );
  };

  it('are made one a context, with twelve partitions, kept for ever, by several at once', async () => {
    const prefix = `test-${newId()}`;
    await Promise.all([open(prefix).ensureTopics(), open(prefix).ensureTopics()]);
    const { topics } = await admin.fetchTopicMetadata({ topics: contexts.map((context) => `${prefix}.${context}`) });
    expect(topics.map(({ partitions }) => partitions.length)).toEqual(contexts.map(() => 12));
    for (const { name } of topics)
      expect(await settingsOf(name)).toMatchObject({
        'cleanup.policy': 'delete',
        'retention.ms': '-1',
        'retention.bytes': '-1',
      });
  });

  it('with other settings are named, all in one error, and not changed', async () => {
    const prefix = `test-${newId()}`;
    await admin.createTopics({
      waitForLeaders: false,
      topics: [
        { topic: `${prefix}.task`, numPartitions: 3 },
        {
          topic: `${prefix}.agent`,
          numPartitions: 12,
          configEntries: [
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'retention.ms', value: '60000' },
          ],
        },
      ],
    });
    const bus = open(prefix);
    const message = await bus.ensureTopics().then(
      () => 'no error',
      (error: Error) => error.message,
    );
    expect(message).toContain(`${prefix}.task has 3 partitions, not 12`);
    expect(message).toContain(`${prefix}.agent has cleanup.policy=compact, not delete`);
    expect(message).toContain(`${prefix}.agent has retention.ms=60000, not -1`);
    await expect(createFeed(bus)(`task-${newId()}`, 1)).rejects.toThrow('3 partitions, not 12');
    await expect(startConsumer(bus).ended).rejects.toThrow('3 partitions, not 12');
    expect(await settingsOf(`${prefix}.agent`)).toMatchObject({ 'cleanup.policy': 'compact', 'retention.ms': '60000' });
  });
});
