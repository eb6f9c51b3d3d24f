import { newId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { hashSecret, parseApiKey } from '@workledger/shared/security/api-key.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSecrets } from '../processes/secrets.ts';
import { ask, eventsOf } from '../processes/testing.ts';
import { keyRoutes } from './key-routes.ts';
import { expectNothing, startService, type Service } from './testing/service.ts';

let service: Service;
let admin: string;
let userId: string;
beforeAll(async () => {
  service = await startService();
  admin = (await service.key('admin')).key;
  userId = String((await send('POST', '/users', { name: 'Ada', role: 'operator' })).body['id']);
});
afterAll(() => service.close());

const send = (method: string, path: string, json?: unknown, key = admin, headers: Record<string, string> = {}) =>
  service.client.ask(method, `/api/v1${path}`, { key, headers, ...(json !== undefined && { json }) });
const wishes = () => ({ name: 'x', role: 'operator', userId });
const made = async () => {
  const { body } = await send('POST', '/keys', wishes());
  return { id: String(body['id']), key: String(body['key']) };
};
type Row = { readonly subject: string; readonly kind: string; readonly id: string; readonly hash: string };
const rows = async (): Promise<readonly Row[]> =>
  (await service.database.pool.query<Row>('select subject, kind, id, hash from command_service.secrets')).rows;
const rowsOf = async (keyId: string) => (await rows()).filter(({ subject }) => subject === `key:${keyId}`);
const mayCreateTasks = async (key: string): Promise<number> =>
  (await send('POST', '/tasks', { title: 'x' }, key)).status;

test('its hash is in the table, and in no event, log line or answer; the event names the row', async () => {
  const { id, key } = await made();
  const hash = hashSecret(parseApiKey(key)!.secret);
  const [row] = await rowsOf(id);
  expect(row).toMatchObject({ subject: `key:${id}`, kind: 'api-key', hash });
  const events = await eventsOf(service.log, `key-${id}`);
  const { name, role } = wishes();
  expect(events.map(({ data }) => data)).toEqual([{ name, role, agentId: null, userId, secretId: row!.id }]);
  const all: unknown[] = [];
  for await (const { position: _, ...event } of service.log.readAll({})) all.push(event);
  for (const text of [JSON.stringify(all), service.logged()]) expect(text).not.toContain(hash);
  expect(await mayCreateTasks(key)).toBe(201);
});

test("nobody's key is as it was: its hash in its event, and no row", async () => {
  const { id, key } = await service.key('operator');
  const hash = hashSecret(parseApiKey(key)!.secret);
  expect(await eventsOf(service.log, `key-${id}`)).toMatchObject([{ data: { secretHash: hash } }]);
  expect(await rowsOf(id)).toEqual([]);
});

test.each(['alone', 'in a batch'])('revoked %s, it is refused and its row is gone', async (how) => {
  const { id, key } = await made();
  expect(await mayCreateTasks(key)).toBe(201);
  const told =
    how === 'alone'
      ? await send('DELETE', `/keys/${id}`)
      : await send('POST', '/commands', { commands: [{ type: 'key.revoke', target: id }] });
  expect(told.status).toBe(200);
  expect([await mayCreateTasks(key), await rowsOf(id)]).toEqual([401, []]);
});

test('a revocation that was cut off before its row was removed holds, and the same again removes it', async () => {
  const { id, key } = await made();
  await service.database.pool.query('alter table command_service.secrets rename to away');
  expect((await send('DELETE', `/keys/${id}`)).status).toBe(500);
  await service.database.pool.query('alter table command_service.away rename to secrets');
  expect((await rowsOf(id)).length).toBe(1);
  await expect.poll(() => mayCreateTasks(key), { timeout: 5_000 }).toBe(401);
  expect((await send('DELETE', `/keys/${id}`)).status).toBe(200);
  expect(await rowsOf(id)).toEqual([]);
});

test('a key that is refused leaves no row', async () => {
  const before = await rows();
  for (const bad of [
    { ...wishes(), role: 'admin' },
    { ...wishes(), expiresAt: '2000-01-01T00:00:00Z' },
  ])
    await expectNothing(service, () => send('POST', '/keys', bad), 422, 'out-of-range');
  const unknown = { ...wishes(), userId: newId() };
  await expectNothing(service, () => send('POST', '/keys', unknown), 422, 'unknown-reference');
  for (const chosen of [{ secretId: newId() }, { secretHash: 'a'.repeat(64) }])
    await expectNothing(service, () => send('POST', '/keys', { ...wishes(), ...chosen }), 400, 'invalid-request');
  expect(await rows()).toEqual(before);
});

test('of several at once under one Idempotency-Key one gets the secret, it works, and a row is left of it alone', async () => {
  for (let round = 0; round < 5; round++) {
    const headers = { 'Idempotency-Key': `race-${round}` };
    const told = await Promise.all(Array.from({ length: 6 }, () => send('POST', '/keys', wishes(), admin, headers)));
    expect(new Set(told.map(({ status, body }) => `${status} ${String(body['id'])}`)).size).toBe(1);
    const keys = told.flatMap(({ body }) => (typeof body['key'] === 'string' ? [body['key']] : []));
    expect(keys).toHaveLength(1);
    expect(await mayCreateTasks(keys[0]!)).toBe(201);
    expect(await rowsOf(String(told[0]!.body['id']))).toHaveLength(1);
    const again = await send('POST', '/keys', wishes(), admin, headers);
    expect([again.status, again.body['key']]).toEqual([201, null]);
  }
});

test('killed between row and event there is no key; the same request again makes one that works', async () => {
  const onLog = (log: EventLog): EventLog => ({ ...log, append: () => Promise.reject(new Error('killed')) });
  const { log, database, commands } = service;
  const common = { log, keys: createKeyStore(log), secrets: createSecrets(database.pool) };
  const [cut] = keyRoutes({ ...common, commands: await service.another({}, onLog) });
  const [whole] = keyRoutes({ ...common, commands });
  const caller = { keyId: newId(), role: 'admin', agentId: null, repositories: null, teams: [], actor: 'key:killed' };
  const input = {
    ...{ params: {}, query: {}, body: { ...wishes(), agentId: null }, headers: { 'idempotency-key': 'cut' } },
    ...{ principal: caller, correlationId: newId(), traceparent: '' },
  } as never;
  const [before, head] = [await rows(), await log.head()];
  await expect(cut!.handle(input)).rejects.toThrow('killed');
  const [left] = (await rows()).filter(({ id }) => !before.some((row) => row.id === id));
  const keyId = left!.subject.slice('key:'.length);
  expect([await common.keys.find(keyId), await log.head()]).toEqual([null, head]);

  const { json } = (await whole!.handle(input)) as { readonly json: { readonly id: string; readonly key: string } };
  expect([json.id, await mayCreateTasks(json.key)]).toEqual([keyId, 201]);
  const [{ data } = { data: {} }] = await eventsOf(log, `key-${keyId}`);
  expect(data).not.toMatchObject({ secretId: left!.id });
  // What the killed one left goes with the key.
  expect(await rowsOf(keyId)).toHaveLength(2);
  expect((await send('DELETE', `/keys/${keyId}`)).status).toBe(200);
  expect(await rowsOf(keyId)).toEqual([]);
});

test('a command that brings the hash of a user’s key, or no place of one, is refused', async () => {
  for (const secret of [{ secretHash: 'a'.repeat(64) }, {}])
    await expect(ask(service, 'key.create', newId(), { ...wishes(), ...secret })).rejects.toMatchObject({
      code: 'out-of-range',
    });
});
