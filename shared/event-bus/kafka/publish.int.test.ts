import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { MAX_EVENT_BYTES } from '../../event-log/check-append.ts';
import { newId, streamName } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { startConsumer } from '../testing.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createRecorder } from './testing/feed.ts';

describeWithKafka('publishing', () => {
  const topicPrefix = `test-${newId()}`;
  let bus: KafkaBus;
  beforeAll(() => {
    bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
  });
  afterAll(() => bus.close());

  it('takes events of the largest size, in letters of several bytes, many of one stream in one call', async () => {
    const stream = streamName('task', newId());
    const text = 'é'.repeat(MAX_EVENT_BYTES / 2 - 500);
    const events = createRecorder()(stream, 12).map((event) => ({ ...event, data: { text } }));
    await bus.publish(events);
    const consumer = startConsumer(bus);
    await vi.waitUntil(() => consumer.events(stream).length >= 12, { timeout: 30_000 });
    await consumer.stop();
    expect(consumer.events(stream)).toEqual(events);
  });

  it('keeps the order of calls that do not wait for one another', async () => {
    const stream = streamName('agent', newId());
    const record = createRecorder();
    const calls = Array.from({ length: 50 }, () => bus.publish(record(stream, 3)));
    await Promise.all(calls);
    const consumer = startConsumer(bus, { topics: ['agent'] });
    await vi.waitUntil(() => consumer.events(stream).length >= 150, { timeout: 30_000 });
    await consumer.stop();
    expect(consumer.events(stream).map(({ revision }) => revision)).toEqual(Array.from({ length: 150 }, (_, n) => n));
  });

  it('takes nothing more once the bus is closed', async () => {
    const other = createKafkaBus({
      brokers: kafkaBrokers(),
      clientId: 'test',
      logger: captureLog().logger,
      topicPrefix,
    });
    await other.close();
    await expect(other.publish(createRecorder()(streamName('task', newId()), 1))).rejects.toThrow('closed');
  });
});
