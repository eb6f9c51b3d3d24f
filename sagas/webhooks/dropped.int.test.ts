import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import {
  startFakeSubscriber,
  status,
  type FakeSubscriber,
} from '@workledger/infra/testing/webhooks/fake-subscriber.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { webhookSecretsSql } from '@workledger/shared/security/webhook-secrets.ts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { sagaMigrations } from '../engine/migrations.ts';
import { createWebhookTrial } from './testing.ts';

let database: TestDatabase;
let log: EventLog;
let subscriber: FakeSubscriber;
let trial: ReturnType<typeof createWebhookTrial>;
let running: ReturnType<typeof trial.start>;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  await database.pool.query(`create schema command_service; ${webhookSecretsSql}`);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createWebhookTrial(log, database.pool);
  subscriber = await startFakeSubscriber();
  running = trial.start({ hosts: [subscriber.host] });
});
afterAll(async () => {
  await running.stop();
  await subscriber.close();
  await log.close();
  await database.drop();
});

const until = async (is: () => Promise<boolean>): Promise<void> =>
  void (await vi.waitUntil(is, { timeout: 20_000, interval: 20 }));

test('what was given up can be dropped, once and for all: it is not sent with the others', async () => {
  subscriber.answer('/a', status(500));
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  await trial.task();
  const statuses = async () => (await trial.deliveries(id)).map((each) => each.status).join();
  await until(async () => (await statuses()) === 'dead');
  const [first] = subscriber.to('/a');
  const drop = (deliveryId: string) => trial.tell(id, { type: 'WebhookDeliveryDropped', data: { deliveryId } });
  for (const deliveryId of [first!.id, first!.id, newId()]) await drop(deliveryId);
  await until(async () => (await statuses()) === 'dropped');
  subscriber.answer('/a', null);
  await trial.tell(id, { type: 'WebhookRedeliveryAsked', data: {} });
  await trial.task();
  await until(async () => (await statuses()) === 'dropped,delivered');
  await drop(subscriber.to('/a').at(-1)!.id);
  await trial.task();
  await until(async () => (await statuses()) === 'dropped,delivered,delivered');
  expect(subscriber.to('/a').filter((each) => each.id === first!.id)).toHaveLength(4);
}, 60_000);
