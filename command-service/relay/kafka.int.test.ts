import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { startConsumer } from '@workledger/shared/event-bus/testing.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { firstArrivals, openRelayTest, type RelayTest } from './testing/relay-test.ts';

describeWithKafka('a relay to Kafka', () => {
  let test: RelayTest;
  let buses: KafkaBus[];
  let topicPrefix: string;

  beforeEach(async () => {
    test = await openRelayTest();
    topicPrefix = `relay-${newId()}`;
    buses = [];
  });

  afterEach(async () => {
    await test.close();
    await Promise.all(buses.map((bus) => bus.close()));
  });

  function openBus(): KafkaBus {
    const bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'test', logger: captureLog().logger, topicPrefix });
    buses.push(bus);
    return bus;
  }

  it('brings everything that the log has to a consumer, every stream in order, nothing twice', async () => {
    const before = await test.fill({ streams: 30, events: 100 });
    const consumer = startConsumer(openBus());
    test.startRelay(openBus());
    await untilTrue(() => consumer.events().length >= before.length);
    const live = await test.fill({ streams: 10, events: 10 });
    await untilTrue(() => consumer.events().length >= before.length + live.length);
    await consumer.stop();
    const logged = await test.logged();
    expect(consumer.events()).toHaveLength(logged.length);
    expect(firstArrivals(consumer.events())).toEqual(firstArrivals(logged));
    const byId = new Map(consumer.events().map((event) => [event.id, event]));
    for (const event of logged) expect(byId.get(event.id)).toEqual(event);
  });

  it('loses nothing while leaders follow one another under load', async () => {
    const consumer = startConsumer(openBus());
    const relays = [test.startRelay(openBus(), { owner: 'first' }), test.startRelay(openBus(), { owner: 'second' })];
    for (let round = 0; round < 4; round++) {
      await test.fill({ streams: 20, events: 40 });
      // As if a third one had taken the lease, and was gone.
      await test.database.pool.query(
        `update relay.leader set epoch = epoch + 1, owner = 'gone', expires_at = '-infinity'`,
      );
      await untilTrue(async () => (await test.leader()).owner !== 'gone');
    }
    await untilTrue(async () => (await test.leader()).checkpoint === (await test.log.head()));
    const logged = await test.logged();
    await untilTrue(() => new Set(consumer.events().map(({ id }) => id)).size >= logged.length);
    await consumer.stop();
    await Promise.all(relays.map((relay) => relay.stop()));
    expect(firstArrivals(consumer.events())).toEqual(firstArrivals(logged));
  });
});
