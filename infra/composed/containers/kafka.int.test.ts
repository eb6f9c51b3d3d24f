import { GenericContainer, Wait } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createRecorder } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { startConsumer } from '@workledger/shared/event-bus/testing.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { dockerAnswers, serverOf } from '../../testing/servers/docker.ts';
import { choosePorts } from '../../local/kafka/server-properties.ts';

const PORT = 9092;

describe.runIf(await dockerAnswers('Kafka in a container'))('Kafka in a container', () => {
  let stop: () => Promise<unknown>;
  let bus: KafkaBus;
  beforeAll(async () => {
    // It tells its clients where it is: the port outside must be known before it starts.
    const { broker } = await choosePorts('', undefined);
    const { image, environment } = serverOf('kafka');
    const container = await new GenericContainer(image)
      .withEnvironment({ ...environment, KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${broker}` })
      .withExposedPorts({ container: PORT, host: broker })
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .start();
    stop = () => container.stop();
    bus = createKafkaBus({ brokers: [`127.0.0.1:${broker}`], clientId: 'test', logger: captureLog().logger });
  }, 300_000);
  afterAll(async () => {
    await bus?.close();
    await stop?.();
  });

  it('makes our topics and hands on in order what was published', async () => {
    const stream = streamName('task', newId());
    const events = createRecorder()(stream, 20);
    await bus.publish(events);
    const consumer = startConsumer(bus);
    await vi.waitUntil(() => consumer.events(stream).length >= 20, { timeout: 60_000 });
    await consumer.stop();
    expect(consumer.events(stream)).toEqual(events);
  });
});
