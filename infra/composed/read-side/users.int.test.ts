import type { UserAccess } from '@workledger/shared/contexts/agent/user/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { items, startReadSide, type ReadSide } from './testing.ts';

let side: ReadSide;
let token = '';
const ids = new Map<string, string>();
beforeAll(async () => {
  side = await startReadSide();
  side.startProjections();
  await add('Ada', { role: 'admin', teams: ['core', 'web'] });
  await add('Bob', { role: 'operator', teams: ['core'] });
  await add('Cyd', { role: 'viewer', teams: ['web'], state: 'suspended' });
});
afterAll(() => side.close());

async function add(name: string, access: Partial<UserAccess>): Promise<void> {
  const userId = newId();
  ids.set(name, userId);
  const data = { userId, name, email: `${name}@example.org`, access: { state: 'active', ...access } };
  token = [token, await side.append(streamName('user', userId), { type: 'UserCreated', data })].filter(Boolean).join();
}
const get = (path: string, key?: string) => side.get(path, { 'Consistency-Token': token }, key);
const names = async (path: string): Promise<unknown[]> => items(await get(path)).map(({ name }) => name);

test('users are found by role, state and team, in order and page by page', async () => {
  expect(await names('/users')).toEqual(['Ada', 'Bob', 'Cyd']);
  expect(await names('/users?role=admin,viewer&sort=-created')).toEqual(['Cyd', 'Ada']);
  expect(await names('/users?team=core')).toEqual(['Ada', 'Bob']);
  expect(await names('/users?state=suspended')).toEqual(['Cyd']);
  expect(await names('/users?text=BO')).toEqual(['Bob']);
  const first = await get('/users?limit=2');
  expect(await names(`/users?limit=2&cursor=${String(first.body['next'])}`)).toEqual(['Cyd']);
  expect((await get('/users?team=No')).status).toBe(400);
});

test('teams are told with how many are in them', async () => {
  expect(items(await get('/teams'))).toEqual([
    { name: 'core', users: 2, active: 2 },
    { name: 'web', users: 2, active: 1 },
  ]);
});

test('an address is shown to administrators and to whose it is', async () => {
  const [ada, bob] = [ids.get('Ada')!, ids.get('Bob')!];
  const viewer = await side.key('viewer');
  const own = await side.key('viewer', { userId: bob });
  const emails = async (key?: string) =>
    Promise.all([ada, bob].map(async (id) => (await get(`/users/${id}`, key)).body['email']));
  expect(await emails()).toEqual(['Ada@example.org', 'Bob@example.org']);
  expect(await emails(viewer)).toEqual([null, null]);
  expect(await emails(own)).toEqual([null, 'Bob@example.org']);
  expect(items(await get('/users', viewer)).map(({ email }) => email)).toEqual([null, null, null]);
});

test('whoever asks is told who they are', async () => {
  const bob = ids.get('Bob')!;
  const told = await get('/me', await side.key('operator', { userId: bob }));
  expect(told.body).toMatchObject({ actor: `user:${bob}`, role: 'operator', teams: ['core'], user: { name: 'Bob' } });
  const limited = await get('/me', await side.key('viewer', { repositories: ['shop'] }));
  expect(limited.body).toMatchObject({ role: 'viewer', repositories: ['shop'], teams: [], user: null });
});

test('a key that is limited to repositories sees no people', async () => {
  const key = await side.key('viewer', { repositories: ['shop'] });
  for (const path of ['/users', `/users/${ids.get('Ada')!}`, '/teams'])
    expect((await get(path, key)).status, path).toBe(403);
});
