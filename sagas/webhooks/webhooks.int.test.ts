import { setTimeout as pause } from 'node:timers/promises';
import { retitled } from '@workledger/infra/testing/events/task-events.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import {
  startFakeSubscriber,
  status,
  type FakeSubscriber,
} from '@workledger/infra/testing/webhooks/fake-subscriber.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { webhookSecretsSql } from '@workledger/shared/security/webhook-secrets.ts';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { sagaMigrations } from '../engine/migrations.ts';
import { deliveryIdOf } from './deliveries.ts';
import { createWebhookTrial } from './testing.ts';

vi.setConfig({ testTimeout: 60_000 });

let database: TestDatabase;
let log: EventLog;
let subscriber: FakeSubscriber;
let trial: ReturnType<typeof createWebhookTrial>;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrate(database.url, 'sagas', sagaMigrations);
  await database.pool.query(`create schema command_service; ${webhookSecretsSql}`);
  log = await createPostgresEventLog({ connectionString: database.url });
  trial = createWebhookTrial(log, database.pool);
});
afterAll(async () => {
  await log.close();
  await database.drop();
});
beforeEach(async () => {
  // Only what a test itself subscribes is sent.
  await database.pool.query(`update sagas.webhooks set status = 'deleted'`);
  subscriber = await startFakeSubscriber();
  onTestFinished(() => subscriber.close());
});

function start(settings: Partial<Parameters<typeof trial.start>[0]> = {}) {
  const running = trial.start({ hosts: [subscriber.host], ...settings });
  onTestFinished(running.stop);
  return running;
}

const until = async (is: () => boolean | Promise<boolean>): Promise<void> =>
  void (await vi.waitUntil(is, { timeout: 20_000, interval: 20 }));
const statusOf = async (id: string): Promise<string | undefined> =>
  (await database.pool.query<{ status: string }>('select status from sagas.webhooks where id = $1', [id])).rows[0]
    ?.status;
const revisionsAt = (path: string, stream: string): number[] =>
  subscriber
    .to(path)
    .filter(({ subject }) => subject === stream)
    .map(({ body }) => (JSON.parse(body) as { revision: number }).revision)
    .toSorted((left, right) => left - right);

test('every event from the subscription on is sent, as it is published, under its own id, and signed so that others can tell', async () => {
  start();
  const before = await trial.task();
  const { id, secret } = await trial.subscribe(`${subscriber.url}/a`);
  const stream = await trial.task(null, 2);
  await until(() => subscriber.to('/a').length === 3);
  expect(revisionsAt('/a', stream)).toEqual([0, 1, 2]);
  expect(revisionsAt('/a', before)).toEqual([]);
  for (const { body, headers, id: webhookId } of subscriber.to('/a')) {
    const event = JSON.parse(body) as { id: string };
    expect(webhookId).toBe(deliveryIdOf(id, event.id));
    expect(new Webhook(secret).verify(body, headers as Record<string, string>)).toEqual(event);
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
  }
  await until(async () => (await trial.deliveries(id)).every((each) => each.status === 'delivered'));
});

test('two secrets sign while the old one is good, then the new one alone', async () => {
  start();
  const { id, secret } = await trial.subscribe(`${subscriber.url}/a`);
  const next = await trial.addSecret(id);
  const oldUntil = new Date(Date.now() + 3_600_000).toISOString();
  await trial.tell(id, { type: 'WebhookSecretRotated', data: { secretId: next.secretId, oldUntil } });
  await until(async () => {
    const { rows } = await database.pool.query<{ id: string }>(
      'select secret_id as id from sagas.webhooks where id = $1',
      [id],
    );
    return rows[0]?.id === next.secretId;
  });
  await trial.task();
  await until(() => subscriber.to('/a').length === 1);
  const { body, headers: told } = subscriber.to('/a')[0]!;
  const headers = told as Record<string, string>;
  expect(headers['webhook-signature']).toMatch(/^v1,\S+ v1,\S+$/);
  for (const each of [secret, next.secret]) expect(new Webhook(each).verify(body, headers)).toBeDefined();
  await database.pool.query('update sagas.webhooks set old_secret_until = clock_timestamp() where id = $1', [id]);
  await trial.task();
  await until(() => subscriber.to('/a').length === 2);
  const last = subscriber.to('/a').at(-1)!;
  expect(() => new Webhook(secret).verify(last.body, last.headers as Record<string, string>)).toThrow();
  expect(new Webhook(next.secret).verify(last.body, last.headers as Record<string, string>)).toBeDefined();
});

test('a subscription gets what it asked for, of its repositories, within its reach, and nothing else', async () => {
  start();
  const limited = { repositories: ['shop'], eventTypes: ['*'] };
  await trial.subscribe(`${subscriber.url}/limited`, limited);
  await trial.subscribe(`${subscriber.url}/one-type`, { eventTypes: ['workledger.task.TaskDetailsChanged'] });
  await trial.subscribe(`${subscriber.url}/work`, { eventTypes: ['*'] });
  await trial.subscribe(`${subscriber.url}/all`, {
    eventTypes: ['/workledger/task', 'workledger.key.*'],
    reach: 'all',
  });
  const shop = await trial.task('shop', 1);
  const other = await trial.task('other', 1);
  const none = await trial.task(null, 1);
  const key = `key-${newId()}`;
  await trial.append(key, [
    { type: 'KeyCreated', data: { name: 'k', role: 'viewer', agentId: null, secretHash: 'a'.repeat(64) } },
  ]);
  const last = await trial.task('shop', 1);
  const whole = (path: string, stream: string): boolean => revisionsAt(path, stream).length === 2;
  await until(() => [shop, last].every((stream) => whole('/limited', stream)));
  await until(() => [shop, other, none, last].every((stream) => whole('/work', stream) && whole('/all', stream)));
  await until(() => revisionsAt('/all', key).length === 1);
  await until(() => subscriber.to('/one-type').length === 4);
  expect(new Set(subscriber.to('/limited').map(({ subject }) => subject))).toEqual(new Set([shop, last]));
  expect(new Set(subscriber.to('/one-type').map(({ type }) => type))).toEqual(
    new Set(['workledger.task.TaskDetailsChanged']),
  );
  for (const stream of [shop, other, none]) expect(revisionsAt('/work', stream)).toEqual([0, 1]);
  expect(subscriber.to('/work').filter(({ type }) => /Key|Webhook/.test(type))).toEqual([]);
  expect(revisionsAt('/all', key)).toEqual([0]);
  expect(subscriber.received.map(({ body }) => body).join()).not.toMatch(/secretHash|secretId/);
});

test('what fails is tried again under the same id with pauses that grow, and given up after the last; a redrive sends it after all', async () => {
  const running = start();
  subscriber.answer('/a', status(500));
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  await trial.task();
  await until(async () => (await trial.deliveries(id)).some((each) => each.status === 'dead'));
  expect(subscriber.to('/a')).toHaveLength(4);
  expect(new Set(subscriber.to('/a').map((one) => one.id)).size).toBe(1);
  expect(await trial.deliveries(id)).toMatchObject([
    { status: 'dead', attempts: 4, reason: expect.stringContaining('500') },
  ]);
  expect(running.sent).toEqual([]);
  subscriber.answer('/a', null);
  await trial.tell(id, { type: 'WebhookRedeliveryAsked', data: {} });
  await until(async () => (await trial.deliveries(id))[0]?.status === 'delivered');
  expect(subscriber.to('/a')).toHaveLength(5);
  expect(new Set(subscriber.to('/a').map((one) => one.id)).size).toBe(1);
});

test('one delivery is sent again when asked for, though it was delivered', async () => {
  start();
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  await trial.task(null, 1);
  await until(async () => (await trial.deliveries(id)).filter((each) => each.status === 'delivered').length === 2);
  const [first] = subscriber.to('/a');
  await trial.tell(id, { type: 'WebhookRedeliveryAsked', data: { deliveryId: first!.id } });
  await until(() => subscriber.to('/a').length === 3);
  expect(subscriber.to('/a').at(-1)).toMatchObject({ id: first!.id, body: first!.body });
});

test('a test is sent to its own subscription, whatever that asked for, and to no other', async () => {
  start();
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  await trial.subscribe(`${subscriber.url}/all`, { eventTypes: ['*'], reach: 'all' });
  await trial.tell(id, { type: 'WebhookTestAsked', data: { askedBy: `key:${newId()}` } });
  await until(() => subscriber.to('/a').length === 1);
  expect(subscriber.to('/a')[0]).toMatchObject({
    type: 'workledger.webhook.WebhookTestAsked',
    subject: `webhook-${id}`,
  });
  expect(subscriber.to('/all').some(({ type }) => type.endsWith('TestAsked'))).toBe(false);
});

test('410 ends it with the reason, and nothing more is sent until it is resumed: then all that came meanwhile', async () => {
  const running = start();
  subscriber.answer('/a', status(410));
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  const stream = await trial.task();
  await until(() => running.sent.length > 0);
  expect(running.sent).toEqual([{ type: 'webhook.disable', target: id, reason: 'it answers 410: it is gone' }]);
  await until(async () => (await statusOf(id)) === 'disabled');
  for (let count = 0; count < 3; count++) await trial.append(stream, [retitled(`t ${count}`)]);
  await pause(1_000);
  expect(subscriber.to('/a')).toHaveLength(1);
  subscriber.answer('/a', null);
  await trial.tell(id, { type: 'WebhookResumed', data: {} });
  await until(() => subscriber.to('/a').length === 4);
  expect(revisionsAt('/a', stream)).toEqual([0, 1, 2, 3]);
});

test.each([429, 503])(
  'Retry-After of a %i is obeyed, is no try, and holds up this subscription alone',
  async (code) => {
    start();
    subscriber.answer('/slow', status(code, { 'Retry-After': '2' }));
    const { id } = await trial.subscribe(`${subscriber.url}/slow`);
    await trial.subscribe(`${subscriber.url}/other`);
    const stream = await trial.task();
    await until(() => subscriber.to('/slow').length === 1 && subscriber.to('/other').length === 1);
    subscriber.answer('/slow', null);
    await trial.append(stream, [retitled('a')]);
    await until(() => subscriber.to('/other').length === 2);
    expect(subscriber.to('/slow')).toHaveLength(1);
    await until(() => subscriber.to('/slow').length === 3);
    const [first, second] = subscriber.to('/slow');
    expect(second!.at - first!.at).toBeGreaterThan(1_900);
    await until(async () => (await trial.deliveries(id)).every((each) => each.status === 'delivered'));
    expect((await trial.deliveries(id)).map(({ attempts }) => attempts)).toEqual([1, 1]);
  },
);

test('a redirect is not followed, a private address is not called, and a host that is not allowed any more neither', async () => {
  subscriber.answer('/moved', status(302, { Location: `${subscriber.url}/elsewhere` }));
  start({ hosts: [subscriber.host, 'localhost:443', '10.0.0.1:443'], privateHosts: [subscriber.host] });
  const reasons = async (url: string): Promise<string | null> => {
    const { id } = await trial.subscribe(url);
    await trial.task();
    await until(async () => (await trial.deliveries(id)).some((each) => each.status === 'dead'));
    return (await trial.deliveries(id))[0]!.reason;
  };
  expect(await reasons(`${subscriber.url}/moved`)).toBe('it answers 302, and redirects are not followed');
  expect(await reasons('https://10.0.0.1/')).toContain('not a public address');
  expect(await reasons('https://localhost/')).toContain('not public');
  expect(await reasons('https://internal.example.org/')).toContain('none of the hosts that may be subscribed');
  expect(subscriber.to('/elsewhere')).toEqual([]);
});

test('one that does not answer holds up nobody, and its breaker rests; answers may be of any length', async () => {
  start({ retrySeconds: [0.1, 0.1, 0.1, 0.1, 0.1, 0.1] });
  subscriber.answer('/dead', () => undefined);
  subscriber.answer('/long', (response) => void response.writeHead(200).end('x'.repeat(1_000_000)));
  const { id } = await trial.subscribe(`${subscriber.url}/dead`);
  const long = await trial.subscribe(`${subscriber.url}/long`);
  const stream = await trial.task(null, 19);
  await until(() => revisionsAt('/long', stream).length === 20);
  await until(async () => (await trial.deliveries(long.id)).every((each) => each.status === 'delivered'));
  await until(async () => {
    const { rows } = await database.pool.query<{ breaker: string }>(
      'select breaker from sagas.webhooks where id = $1',
      [id],
    );
    return rows[0]?.breaker === 'open';
  });
  const asked = subscriber.to('/dead').length;
  await pause(2_500);
  expect(subscriber.to('/dead').length).toBe(asked);
});

test('what failed for days is paused, in words', async () => {
  const running = start({ retrySeconds: [0.1, 0.1] });
  subscriber.answer('/a', status(404));
  const { id } = await trial.subscribe(`${subscriber.url}/a`);
  const stream = await trial.task();
  await until(() => subscriber.to('/a').length === 1);
  expect(running.sent).toEqual([]);
  await database.pool.query(
    `update sagas.webhooks set failing_since = clock_timestamp() - interval '6 days' where id = $1`,
    [id],
  );
  await trial.append(stream, [retitled('a')]);
  await until(() => running.sent.length > 0);
  const reason = 'nothing could be delivered for 5 days; the last time: it answers 404';
  expect(running.sent[0]).toEqual({ type: 'webhook.give-up', target: id, reason });
});

test('what was there before is sent where it is asked for, each event once, whatever comes meanwhile', async () => {
  const from = await log.head();
  start();
  await trial.subscribe(`${subscriber.url}/before`);
  const old = await trial.task('past', 30);
  await until(() => revisionsAt('/before', old).length === 31);
  await trial.subscribe(`${subscriber.url}/a`, { from: String(from), repositories: ['past'] });
  const fresh = await trial.task('past', 30);
  await until(() => subscriber.to('/a').length >= 62);
  await pause(500);
  for (const stream of [old, fresh])
    expect(revisionsAt('/a', stream)).toEqual(Array.from({ length: 31 }, (_, at) => at));
});

test('two processes share the work: each event is sent once', async () => {
  start();
  start();
  await trial.subscribe(`${subscriber.url}/a`);
  const stream = await trial.task(null, 40);
  await until(() => subscriber.to('/a').length >= 41);
  await pause(500);
  expect(revisionsAt('/a', stream)).toEqual(Array.from({ length: 41 }, (_, at) => at));
});
