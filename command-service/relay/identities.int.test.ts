import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { loseTopics } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { startConsumer } from '@workledger/shared/event-bus/testing.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { createRecordingBus } from './testing/recording-bus.ts';
import { openRelayTest, type RelayTest } from './testing/relay-test.ts';

vi.setConfig({ testTimeout: 120_000 });

let test: RelayTest;
beforeEach(async () => {
  test = await openRelayTest();
});
afterEach(() => test.close());

describeWithKafka('a relay whose topics were made anew', () => {
  const buses: KafkaBus[] = [];
  const openBus = (topicPrefix: string): KafkaBus => {
    const { logger } = captureLog();
    const bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'relay', logger, topicPrefix });
    buses.push(bus);
    return bus;
  };
  afterEach(async () => {
    await Promise.all(buses.splice(0).map((bus) => bus.close()));
  });

  /** Reads from offset 0 until it has seen all of the log. */
  async function expectWholeHistory(bus: KafkaBus): Promise<void> {
    const logged = await test.logged();
    const reader = startConsumer(bus);
    await untilTrue(() => new Set(reader.events().map(({ id }) => id)).size >= logged.length);
    await reader.stop();
    expect(new Set(reader.events().map(({ id }) => id))).toEqual(new Set(logged.map(({ id }) => id)));
  }

  it('while it was down publishes the whole log again, and says so', async () => {
    const prefix = `relay-${newId()}`;
    await test.fill({ streams: 5, events: 10 });
    const first = test.startRelay(openBus(prefix));
    await untilTrue(async () => (await test.leader()).checkpoint === 50n);
    await first.stop();
    await loseTopics(kafkaBrokers(), prefix);
    await test.fill({ streams: 5, events: 2 });
    const bus = openBus(prefix);
    const second = test.startRelay(bus);
    await expectWholeHistory(bus);
    await untilTrue(() => second.said().some((line) => line.includes('publishing the whole log again')));
  });

  it('while it leads, and has nothing to send, publishes the whole log again', async () => {
    const prefix = `relay-${newId()}`;
    const bus = openBus(prefix);
    await test.fill({ streams: 5, events: 10 });
    test.startRelay(bus);
    await untilTrue(async () => (await test.leader()).checkpoint === 50n);
    await loseTopics(kafkaBrokers(), prefix);
    await expectWholeHistory(openBus(prefix));
  });
});

it('refuses to lead on another log than that of its checkpoint, says why once, and leads again on the right one', async () => {
  await test.fill({ streams: 1, events: 10 });
  const bus = createRecordingBus();
  const first = test.startRelay(bus);
  await untilTrue(async () => (await test.leader()).checkpoint === 10n);
  await first.stop();

  const other = await openRelayTest();
  try {
    await other.fill({ streams: 1, events: 30 });
    const wrong = test.startRelay(bus, { log: other.log });
    await untilTrue(() => wrong.state()?.problem !== undefined);
    expect(wrong.state()).toMatchObject({ role: 'standby' });
    expect(wrong.state()?.problem).toContain('belongs to the event log that begins with event');
    expect(wrong.said().filter((line) => line === 'this relay must not lead')).toHaveLength(1);
    await wrong.stop();
  } finally {
    await other.close();
  }
  expect(bus.events()).toHaveLength(10);

  const later = await test.fill({ streams: 1, events: 3 });
  const right = test.startRelay(bus);
  await untilTrue(() => bus.events().length >= 13);
  expect(
    bus
      .events()
      .slice(10)
      .map(({ id }) => id),
  ).toEqual(later);
  expect(right.state()?.problem).toBeUndefined();
});

it('refuses to lead when the checkpoint is beyond the head of the log', async () => {
  await test.fill({ streams: 1, events: 5 });
  await test.database.pool.query('update relay.leader set checkpoint = 1000');
  const bus = createRecordingBus();
  const relay = test.startRelay(bus);
  await untilTrue(() => relay.state()?.problem !== undefined);
  expect(relay.state()?.problem).toContain('checkpoint 1000 (table relay.leader) is beyond the head 5');
  expect(bus.calls()).toBe(0);
});

/** As a restored backup, which lost all after a position. */
const restore = (after: number): Promise<unknown> =>
  test.database.pool.query(`
    alter table event_log.events disable trigger events_are_final;
    delete from event_log.events where position > ${after};
    alter table event_log.events enable trigger events_are_final`);

it('does not lead on a log that was restored and has grown past the checkpoint with other events', async () => {
  await test.fill({ streams: 2, events: 5 });
  const first = test.startRelay(createRecordingBus());
  await untilTrue(async () => (await test.leader()).checkpoint === 10n);
  await first.stop();
  await restore(6);
  await test.fill({ streams: 2, events: 10 });
  expect(await test.log.head()).toBeGreaterThan(10n);
  const bus = createRecordingBus();
  const relay = test.startRelay(bus);
  await untilTrue(() => relay.state()?.problem !== undefined);
  expect(relay.state()?.problem).toContain('it was restored, and other events came instead');
  expect(bus.calls()).toBe(0);
  expect((await test.leader()).checkpoint).toBe(10n);
});

it('takes note of the last event with its first batch where the checkpoint is older than that knowledge', async () => {
  await test.fill({ streams: 1, events: 5 });
  await test.database.pool.query('update relay.leader set checkpoint = 3');
  const first = test.startRelay(createRecordingBus());
  await untilTrue(async () => (await test.leader()).checkpoint === 5n);
  await first.stop();
  const logged = await test.logged();
  const { rows } = await test.database.pool.query('select last_event from relay.leader');
  const { id, stream, revision } = logged[4]!;
  expect(rows).toEqual([{ last_event: { id, stream, revision, position: '5' } }]);
});
