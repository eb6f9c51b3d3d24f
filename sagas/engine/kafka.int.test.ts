import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import { loseTopics } from '@workledger/shared/event-bus/kafka/testing/feed.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { sagaMigrations } from './migrations.ts';
import { createTrial, isResult, startEngine, type Trial } from './testing/trial.ts';

vi.setConfig({ testTimeout: 120_000 });

let database: TestDatabase;
let log: EventLog;
let trial: Trial;
const captured = captureLog();

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createTrial(log);
});
afterAll(async () => {
  await log.close();
  await database.drop();
});

const newPrefix = (): string => `engine-${randomBytes(4).toString('hex')}`;

/** Topics of their own, and a loop in the place of the relay. */
function startKafka(after = 0n, topicPrefix = newPrefix()): { bus: KafkaBus; close: () => Promise<void> } {
  const { logger } = captured;
  const bus = createKafkaBus({ brokers: kafkaBrokers(), clientId: 'sagas', topicPrefix, logger });
  const stopping = new AbortController();
  const relaying = (async () => {
    for await (const { events } of log.subscribe({ after, signal: stopping.signal }))
      if (events.length > 0) await bus.publish(events);
  })();
  return {
    bus,
    close: async () => {
      stopping.abort();
      await relaying;
      await bus.close();
    },
  };
}

const start = (bus: KafkaBus, calls: string[]): (() => Promise<void>) =>
  startEngine({
    log,
    bus,
    pool: database.pool,
    calls,
    work: () => Promise.resolve('done'),
    logger: captured.logger,
    alone: false,
  });

describeWithKafka('sagas over Kafka', () => {
  it('catch up from the log where Kafka cannot go on from their progress, and do nothing twice', async () => {
    const calls: string[] = [];
    const before = startKafka();
    const stop = start(before.bus, calls);
    const done = await trial.reserve();
    await trial.until(done.taskId, isResult('later'));
    await stop();
    await before.close();

    const missed = await trial.reserve();
    // Other topics, which begin after what was missed; the progress in the old ones lies behind their ends.
    await database.pool.query('update sagas.progress set next_offset = next_offset + 1000');
    const after = startKafka(await log.head());
    const stops = [start(after.bus, calls)];
    await trial.until(missed.taskId, isResult('later'));
    const next = await trial.reserve();
    await trial.until(next.taskId, isResult('later'));
    await Promise.all(stops.map((stopOne) => stopOne()));
    await after.close();

    expect(calls.toSorted()).toEqual(
      [done, missed, next].map(({ taskId }) => `saga-code-evolution-${taskId}/call`).toSorted(),
    );
    expect(captured.text()).toContain('caught up from the log');
  });

  it('miss nothing of what came while they were down and their topics were made anew', async () => {
    const calls: string[] = [];
    const prefix = newPrefix();
    await database.pool.query('truncate sagas.progress, sagas.topics');
    const before = startKafka(await log.head(), prefix);
    const stop = start(before.bus, calls);
    const done = await trial.reserve();
    await trial.until(done.taskId, isResult('later'));
    await stop();
    await before.close();
    await loseTopics(kafkaBrokers(), prefix);

    // As many in the new topics as progress was in the old ones, and more: every offset is in range again.
    const after = startKafka(await log.head(), prefix);
    const missed = [];
    for (let count = 0; count < 30; count++) missed.push(await trial.reserve());
    await vi.waitUntil(async () => sum(await after.bus.endOffsets(['agent'])) >= 30n, { timeout: 60_000 });
    const stopAgain = start(after.bus, calls);
    for (const { taskId } of missed) await trial.until(taskId, isResult('later'));
    await stopAgain();
    await after.close();
    expect(calls.toSorted()).toEqual(
      [done, ...missed].map(({ taskId }) => `saga-code-evolution-${taskId}/call`).toSorted(),
    );
  });
});

const sum = (offsets: ReadonlyMap<string, bigint>): bigint => [...offsets.values()].reduce((all, one) => all + one, 0n);
