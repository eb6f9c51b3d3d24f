import { afterAll, beforeAll } from 'vitest';
import { newId } from '../../contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { eventBusContract } from '../contract.ts';
import { eventBusGroupContract } from '../testing/group-contract.ts';
import { createKafkaBus, type KafkaBus } from './kafka-bus.ts';
import { createFeed } from './testing/feed.ts';

describeWithKafka('over a real broker', () => {
  const topicPrefix = `test-${newId()}`;
  const open = (): KafkaBus =>
    createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
  let bus: KafkaBus;
  let feed: ReturnType<typeof createFeed>;
  beforeAll(() => {
    bus = open();
    feed = createFeed(bus);
  });
  afterAll(() => bus.close());

  eventBusContract('Kafka', () => ({ bus, feed }));
  eventBusGroupContract('Kafka', () => ({ bus, feed, another: open }));
});
