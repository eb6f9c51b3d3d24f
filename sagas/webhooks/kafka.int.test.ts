import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { describeWithKafka, kafkaBrokers } from '@workledger/infra/testing/servers/kafka.ts';
import { startFakeSubscriber, type FakeSubscriber } from '@workledger/infra/testing/webhooks/fake-subscriber.ts';
import { createKafkaBus, type KafkaBus } from '@workledger/shared/event-bus/kafka/kafka-bus.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { webhookSecretsSql } from '@workledger/shared/security/webhook-secrets.ts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sagaMigrations } from '../engine/migrations.ts';
import { createWebhookTrial } from './testing.ts';

vi.setConfig({ testTimeout: 120_000 });

let database: TestDatabase;
let log: EventLog;
let subscriber: FakeSubscriber;
const logger = pino({ level: 'silent' });

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  await database.pool.query(`create schema command_service; ${webhookSecretsSql}`);
  log = await createPostgresEventLog({ connectionString: database.url });
  subscriber = await startFakeSubscriber();
});
afterAll(async () => {
  await subscriber.close();
  await log.close();
  await database.drop();
});

/** Topics of their own, and a loop in the place of the relay. */
function startKafka(after: bigint): { bus: KafkaBus; close: () => Promise<void> } {
  const topicPrefix = `webhooks-${randomBytes(4).toString('hex')}`;
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

describeWithKafka('webhooks over Kafka', () => {
  it('send each event once, in many partitions, and from the log what Kafka does not have any more', async () => {
    const trial = createWebhookTrial(log, database.pool);
    const before = startKafka(0n);
    let running = trial.start({ hosts: [subscriber.host], bus: before.bus });
    await trial.subscribe(`${subscriber.url}/a`);
    const expected = new Set<string>();
    const append = async (tasks: number): Promise<void> => {
      for (let count = 0; count < tasks; count++) {
        const stream = await trial.task(null, 2);
        for (const revision of [0, 1, 2]) expected.add(`${stream}@${revision}`);
      }
    };
    const arrived = () =>
      subscriber
        .to('/a')
        .map(({ subject, body }) => `${subject}@${(JSON.parse(body) as { revision: number }).revision}`);
    // Also noted: one whose answer was on its way as it was stopped would be sent again.
    const waiting = "select count(*)::integer as count from sagas.webhook_deliveries where status = 'waiting'";
    const all = async (): Promise<void> =>
      void (await vi.waitUntil(
        async () =>
          arrived().length >= expected.size &&
          (await database.pool.query<{ count: number }>(waiting)).rows[0]?.count === 0,
        { timeout: 60_000 },
      ));

    await append(10);
    await all();
    await running.stop();
    await before.close();

    // Other topics, which begin after what was missed; the progress in the old ones lies behind their ends.
    await append(5);
    await database.pool.query('update sagas.progress set next_offset = next_offset + 1000');
    const after = startKafka(await log.head());
    running = trial.start({ hosts: [subscriber.host], bus: after.bus });
    await all();
    await append(5);
    await all();
    await running.stop();
    await after.close();
    expect(arrived().toSorted()).toEqual([...expected].toSorted());
  });
});
