import { newId } from '@workledger/shared/contexts/stream.ts';
import { hashSecret, parseApiKey } from '@workledger/shared/security/api-key.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventsOf } from '../processes/testing.ts';
import { expectNothing, startService, type Service } from './testing/service.ts';

let service: Service;
let admin: string;
beforeAll(async () => {
  service = await startService();
  admin = (await service.key('admin')).key;
});
afterAll(() => service.close());

const askKey = (json: unknown, headers: Record<string, string> = {}) =>
  service.client.ask('POST', '/api/v1/keys', { key: admin, json, headers });
const mayCreateTasks = async (key: string): Promise<number> =>
  (await service.client.ask('POST', '/api/v1/tasks', { key, json: { title: 'x' } })).status;

test('a new key works at once; only its hash is kept, and the secret is in no event and no log line', async () => {
  const told = await askKey({ name: 'ci', role: 'operator' });
  const key = String(told.body['key']);
  const id = String(told.body['id']);
  expect([told.status, told.headers.get('location')]).toEqual([201, `/api/v1/keys/${id}`]);
  expect(await mayCreateTasks(key)).toBe(201);
  const { secret = '', keyId } = parseApiKey(key) ?? {};
  expect(keyId).toBe(id);
  const events = await eventsOf(service.log, `key-${id}`);
  expect(events.map(({ data }) => data)).toEqual([
    { name: 'ci', role: 'operator', agentId: null, secretHash: hashSecret(secret) },
  ]);
  expect(service.logged()).not.toContain(secret);
});

test('a repeat answers the first receipt, without the secret, and says so', async () => {
  const headers = { 'Idempotency-Key': 'one-key' };
  const first = await askKey({ name: 'one', role: 'viewer' }, headers);
  const head = await service.log.head();
  const second = await askKey({ name: 'one', role: 'viewer' }, headers);
  expect([second.status, second.body['id'], second.body['key']]).toEqual([201, first.body['id'], null]);
  expect(second.body['note']).toContain('cannot be shown again');
  expect(await service.log.head()).toBe(head);
  await expectNothing(service, () => askKey({ name: 'one', role: 'admin' }, headers), 422, 'idempotency-key-reused');
});

test('of several at once under one Idempotency-Key exactly one gets the secret', async () => {
  const headers = { 'Idempotency-Key': 'race' };
  const told = await Promise.all(Array.from({ length: 5 }, () => askKey({ name: 'race', role: 'viewer' }, headers)));
  expect(new Set(told.map(({ status, body }) => `${status} ${String(body['id'])}`)).size).toBe(1);
  expect(told.filter(({ body }) => body['key'] !== null)).toHaveLength(1);
});

test('a revoked key is refused from the answer on', async () => {
  const { id, key } = await service.key('operator');
  expect(await mayCreateTasks(key)).toBe(201);
  const revoked = await service.client.ask('DELETE', `/api/v1/keys/${id}`, { key: admin });
  expect(revoked.status).toBe(200);
  expect(await mayCreateTasks(key)).toBe(401);
});

test('a key that a batch revoked is refused, too', async () => {
  const { id, key } = await service.key('operator');
  expect(await mayCreateTasks(key)).toBe(201);
  const commands = [{ type: 'key.revoke', target: id.toUpperCase() }];
  await service.client.ask('POST', '/api/v1/commands', { key: admin, json: { commands } });
  expect(await mayCreateTasks(key)).toBe(401);
});

test('a key that another process revoked is refused before long', async () => {
  const { id, key } = await service.key('operator');
  expect(await mayCreateTasks(key)).toBe(201);
  await service.commands.send(
    { type: 'key.revoke', target: id, data: {} },
    { actor: 'system', correlationId: newId() },
  );
  await expect.poll(() => mayCreateTasks(key), { timeout: 10_000 }).toBe(401);
});

test.each([
  ['a secret of the own choice', { name: 'x', role: 'viewer', secretHash: 'a'.repeat(64) }, 400, 'invalid-request'],
  ['an unknown role', { name: 'x', role: 'root' }, 400, 'invalid-request'],
  ["an agent's key without an agent", { name: 'x', role: 'agent' }, 422, 'out-of-range'],
  ['an agent that does not exist', { name: 'x', role: 'agent', agentId: newId() }, 422, 'unknown-reference'],
])('refused: %s', async (_, json, status, code) => {
  await expectNothing(service, () => askKey(json), status, code);
});
