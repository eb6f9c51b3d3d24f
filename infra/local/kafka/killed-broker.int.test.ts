import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { createRecorder } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { startConsumer } from '@workledger/shared/event-bus/testing.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { describeWithKafka } from '../../testing/servers/kafka.ts';
import { ownKafkas } from '../../testing/servers/own-servers.ts';

const kafkas = ownKafkas();
const open = (brokers: string, more: { publishTimeout?: number } = {}) => {
  const log = captureLog();
  const bus = createKafkaBus({ brokers: [brokers], clientId: 'test', logger: log.logger, ...more });
  return { bus, log };
};

/** Publishes as the relay does: what was not acknowledged is published again. */
async function publishCertainly(bus: KafkaBus, events: readonly RecordedEvent[]): Promise<void> {
  for (;;) {
    try {
      return await bus.publish(events);
    } catch {
      await sleep(100);
    }
  }
}

/** Revisions in the order in which they came first; a repeat may come later, but nothing out of order for the first time. */
function firstSeen(revisions: readonly number[]): number[] {
  const seen = new Set<number>();
  return revisions.filter((revision) => !seen.has(revision) && seen.add(revision));
}

// A broker takes seconds to start, more on a busy machine.
describeWithKafka('a broker that is killed (kill -9)', { timeout: 240_000 }, () => {
  it('in the middle of publishing and consuming loses nothing and keeps the order of each stream', async () => {
    const folder = await kafkas.folder();
    const killed = await kafkas.start(folder);
    const { bus } = open(killed.brokers);
    const consumer = startConsumer(bus);
    const streams = Array.from({ length: 20 }, () => streamName('task', newId()));
    const record = createRecorder();
    let rounds = 0;
    const enough = new AbortController();
    const publishing = (async () => {
      for (; !enough.signal.aborted; rounds++)
        await publishCertainly(
          bus,
          streams.flatMap((stream) => record(stream, 5)),
        );
    })();
    await vi.waitUntil(() => consumer.events().length > 500, { timeout: 30_000 });
    process.kill(killed.pid, 'SIGKILL');
    await killed.stop();
    await sleep(500);
    const before = rounds;
    await kafkas.start(folder);
    await vi.waitUntil(() => rounds > before + 5, { timeout: 60_000 });
    enough.abort();
    await publishing;
    const all = 5 * rounds;
    await vi.waitUntil(() => new Set(consumer.events().map(({ id }) => id)).size >= all * streams.length, {
      timeout: 60_000,
    });
    await consumer.stop();
    for (const stream of streams)
      expect(firstSeen(consumer.events(stream).map(({ revision }) => revision))).toEqual(
        Array.from({ length: all }, (_, revision) => revision),
      );
    await bus.close();
  });

  it('makes a publish fail within its time, is waited for by a consumer, told once, and picked up again', async () => {
    const folder = await kafkas.folder();
    const killed = await kafkas.start(folder);
    const { bus, log } = open(killed.brokers, { publishTimeout: 3_000 });
    const record = createRecorder();
    const stream = streamName('task', newId());
    await bus.publish(record(stream, 1));
    process.kill(killed.pid, 'SIGKILL');
    await killed.stop();
    const consumer = startConsumer(bus);
    const events = record(stream, 1);
    await expect(bus.publish(events)).rejects.toThrow();
    await expect(bus.publish(events)).rejects.toThrow();
    await expect(bus.check()).rejects.toThrow();
    await vi.waitUntil(() => log.text().includes('still waiting for kafka'), { timeout: 30_000 });
    const told = log.lines().filter(({ level }) => level !== 'debug');
    expect(told.map(({ msg }) => msg)).toEqual(['kafka is away: waiting for it']);

    await kafkas.start(folder);
    await publishCertainly(bus, events);
    await bus.check();
    await vi.waitUntil(() => consumer.events(stream).length >= 2, { timeout: 30_000 });
    await consumer.stop();
    expect(firstSeen(consumer.events(stream).map(({ revision }) => revision))).toEqual([0, 1]);
    await vi.waitUntil(() => log.text().includes('kafka is back'), { timeout: 30_000 });
    await bus.close();
  });
});
