import { problemCode } from '@workledger/infra/testing/servers/application.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
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

const send = (method: string, path: string, json?: unknown, key = admin) =>
  service.client.ask(method, `/api/v1${path}`, { key, ...(json !== undefined && { json }) });
const create = async (more: object = {}): Promise<string> =>
  String(
    (await send('POST', '/users', { name: 'Ada', email: 'ada@example.org', role: 'operator', ...more })).body['id'],
  );
const keyOf = async (userId: string, role = 'operator'): Promise<string> =>
  String((await send('POST', '/keys', { name: 'x', role, userId })).body['key']);
const mayCreateTasks = async (key: string): Promise<unknown> => {
  const told = await send('POST', '/tasks', { title: 'x' }, key);
  return told.status === 201 ? 201 : problemCode(told);
};
const access = async (userId: string): Promise<unknown> => {
  const events = await eventsOf(service.log, `user-${userId}`);
  return (events.at(-1)?.data as { access: unknown }).access;
};

test('a user is created, changed, and put into teams and out of them', async () => {
  const id = await create();
  expect(await access(id)).toEqual({ state: 'active', role: 'operator', teams: [] });
  expect((await send('PATCH', `/users/${id}`, { name: 'Eve', role: 'auditor' })).status).toBe(200);
  expect((await send('PUT', `/users/${id}/teams/core`)).status).toBe(200);
  expect(await access(id)).toEqual({ state: 'active', role: 'auditor', teams: ['core'] });
  expect((await send('DELETE', `/users/${id}/teams/core`)).status).toBe(200);
  expect(await access(id)).toEqual({ state: 'active', role: 'auditor', teams: [] });
});

test('what a key of a user does has the user as its actor', async () => {
  const id = await create();
  const told = await send('POST', '/tasks', { title: 'x' }, await keyOf(id));
  const [event] = await eventsOf(service.log, `task-${String(told.body['id'])}`);
  expect(event?.metadata.actor).toBe(`user:${id}`);
});

test('a user is refused from the answer to their suspension on, and let in again', async () => {
  const id = await create();
  const key = await keyOf(id);
  expect(await mayCreateTasks(key)).toBe(201);
  expect((await send('POST', `/users/${id}/suspend`, { reason: 'left' })).status).toBe(200);
  expect(await mayCreateTasks(key)).toBe('user-suspended');
  await send('POST', `/users/${id}/resume`, {});
  await expect.poll(() => mayCreateTasks(key), { timeout: 10_000 }).toBe(201);
});

test('a batch that suspends is waited for, too', async () => {
  const id = await create();
  const key = await keyOf(id);
  expect(await mayCreateTasks(key)).toBe(201);
  await send('POST', '/commands', { commands: [{ type: 'user.suspend', target: id, data: { reason: 'left' } }] });
  expect(await mayCreateTasks(key)).toBe('user-suspended');
});

test('a lower role is that of keys of before, from the answer on', async () => {
  const id = await create();
  const key = await keyOf(id);
  expect(await mayCreateTasks(key)).toBe(201);
  await send('PATCH', `/users/${id}`, { role: 'viewer' });
  expect(await mayCreateTasks(key)).toBe('forbidden');
});

test('users change their own name, and nothing else', async () => {
  const id = await create({ role: 'viewer' });
  const key = await keyOf(id, 'viewer');
  expect((await send('PATCH', '/me', { name: 'Countess' }, key)).status).toBe(200);
  const events = await eventsOf(service.log, `user-${id}`);
  expect(events.at(-1)).toMatchObject({ type: 'UserChanged', data: { name: 'Countess' } });
  for (const json of [{ role: 'admin' }, { name: 'x', role: 'admin' }])
    await expectNothing(service, () => send('PATCH', '/me', json, key), 400, 'invalid-request');
  await expectNothing(service, () => send('PATCH', `/users/${id}`, { name: 'x' }, key), 403, 'forbidden');
  await expectNothing(service, () => send('PATCH', '/me', { name: 'x' }), 404, 'not-found');
});

test('a repeat under an Idempotency-Key is the same user, and the same key', async () => {
  const headers = { 'Idempotency-Key': 'ada' };
  const ask = (path: string, json: object) =>
    service.client.ask('POST', `/api/v1${path}`, { key: admin, json, headers });
  const [one, other] = [await ask('/users', { name: 'Ada' }), await ask('/users', { name: 'Ada' })];
  expect([other.status, other.body['id']]).toEqual([201, one.body['id']]);
  const wishes = { name: 'x', role: 'viewer', userId: one.body['id'] };
  const [key, again] = [await ask('/keys', wishes), await ask('/keys', wishes)];
  expect([again.status, again.body['id'], again.body['key']]).toEqual([201, key.body['id'], null]);
  await expectNothing(service, () => ask('/keys', { name: 'x', role: 'viewer' }), 422, 'idempotency-key-reused');
});

test('a key is refused whose role its user has not, or whose user is not let in', async () => {
  const id = await create();
  const keyFor = (userId: string, role: string) => () => send('POST', '/keys', { name: 'x', role, userId });
  for (const role of ['admin', 'auditor', 'service'])
    await expectNothing(service, keyFor(id, role), 422, 'out-of-range');
  await expectNothing(service, keyFor(newId(), 'viewer'), 422, 'unknown-reference');
  await expectNothing(service, keyFor(await create({ onboard: true }), 'viewer'), 422, 'unknown-reference');
  await send('POST', `/users/${id}/suspend`, { reason: 'left' });
  await expectNothing(service, keyFor(id, 'viewer'), 422, 'unknown-reference');
});
