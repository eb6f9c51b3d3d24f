import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { loseTopics } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { startConsumer } from '@workledger/shared/event-bus/testing.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { startDouble } from '@workledger/shared/event-log/eventstoredb/double/start-double.ts';
import { createEventStoreDbLog } from '@workledger/shared/event-log/eventstoredb/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { anyEvents } from '@workledger/infra/testing/events/any-event.ts';
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

describe.each(['PostgreSQL', 'EventStoreDB'])(
  'a log in %s that was restored from an older backup, and grew again',
  (engine) => {
    const closing: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const close of closing.splice(0).toReversed()) await close();
    });
    async function openLog(): Promise<EventLog> {
      if (engine === 'PostgreSQL') {
        const other = await openRelayTest();
        closing.push(() => other.close());
        return other.log;
      }
      const double = await startDouble();
      const log = await createEventStoreDbLog({ connectionString: double.connectionString });
      closing.push(
        () => double.close(),
        () => log.close(),
      );
      return log;
    }
    const lastKept = async (): Promise<{ id: string } | null> =>
      (await test.database.pool.query<{ last: { id: string } | null }>('select last_event as last from relay.leader'))
        .rows[0]!.last;

    it('is refused for good, though it begins alike and is past the checkpoint; the right one is gone on with', async () => {
      const [log, restored] = [await openLog(), await openLog()];
      const stream = streamName('task', newId());
      const [backedUp, lost] = [anyEvents(3), anyEvents(4)];
      for (const each of [log, restored]) await each.append(stream, backedUp, 'none');
      await log.append(stream, lost, 2);
      const bus = createRecordingBus();
      const first = test.startRelay(bus, { log });
      await untilTrue(async () => (await lastKept())?.id === lost.at(-1)!.id);
      await first.stop();
      for (let more = 0; more < 10; more++) await restored.append(streamName('task', newId()), anyEvents(5), 'none');
      expect(await restored.head()).toBeGreaterThan((await test.leader()).checkpoint);

      // The stream is shorter than it was; then it has other events there.
      for (const [others, expected] of [
        [anyEvents(2), 2],
        [anyEvents(9), 4],
      ] as const) {
        await restored.append(stream, others, expected);
        const wrong = test.startRelay(bus, { log: restored });
        await untilTrue(() => wrong.state()?.problem !== undefined);
        expect(wrong.state()).toMatchObject({
          ...{ role: 'standby', problem: expect.stringContaining('it was restored, and other events came instead') },
        });
        await wrong.stop();
      }
      expect(bus.events()).toHaveLength(7);

      const next = anyEvents(1);
      await log.append(stream, next, 6);
      test.startRelay(bus, { log });
      await untilTrue(async () => (await lastKept())?.id === next[0]!.id);
      expect(bus.events()).toHaveLength(8);
    });

    it('is not known by a checkpoint of an older version, which takes note with the next event that it sends', async () => {
      const log = await openLog();
      await log.append(streamName('task', newId()), anyEvents(3), 'none');
      await test.database.pool.query('update relay.leader set checkpoint = $1', [await log.head()]);
      const bus = createRecordingBus();
      test.startRelay(bus, { log });
      const next = anyEvents(1);
      await log.append(streamName('task', newId()), next, 'none');
      await untilTrue(async () => (await lastKept())?.id === next[0]!.id);
      expect(bus.events().map(({ id }) => id)).toEqual([next[0]!.id]);
    });
  },
);
