import { newId } from '@workledger/shared/contexts/stream.ts';
import type { Call } from '@workledger/shared/client/client.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { untilTrue } from '../testing/processes/until.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { startFakeSubscriber, type FakeSubscriber } from '../testing/webhooks/fake-subscriber.ts';

let folder: SystemFolder;
let system: RunningSystem;
let subscriber: FakeSubscriber;
beforeAll(async () => {
  folder = await systemFolder();
  subscriber = await startFakeSubscriber();
  const repository = (name: string) => ({ name, url: `${folder.path}/${name}`, test: ['true'] });
  system = await startInFolder(folder.path, {
    outgoingWebhooks: { allowHosts: [subscriber.host, 'hooks.example.org:443', 'plain.example.org:80'] },
    outbound: { privateHosts: [subscriber.host] },
    repositories: [repository('mine'), repository('theirs')],
  });
}, 60_000);
afterAll(async () => {
  expect(await system.stop()).toBe(0);
  await subscriber.close();
  await folder.remove();
});

const keyOf = async (role: string, more: object = {}): Promise<string> => {
  const { body } = await system.client.expect2xx('POST', '/keys', { body: { name: role, role, ...more } });
  return String(body['key']);
};
const wishes = (more: object = {}) => ({ name: 'x', url: `${subscriber.url}/x`, eventTypes: ['*'], ...more });
const post = async (path: string, body: object, call: Call = {}) => {
  const answer = await system.client.send('POST', path, { body, ...call });
  return { ...answer, code: (answer.body['type'] as string | undefined)?.split('/').at(-1) };
};

test('where events may go is what the configuration says, and what they are is what whoever asks may read', async () => {
  const operator = await keyOf('operator');
  for (const url of [
    'https://elsewhere.example.org/',
    'https://[hooks/',
    'https://hooks.example.org:8443/',
    'http://plain.example.org/',
    'https://a:b@hooks.example.org/',
    `${subscriber.url}/#x`,
  ])
    expect(await post('/webhooks', wishes({ url }), { key: operator })).toMatchObject({
      status: 422,
      code: 'out-of-range',
    });
  const beyond = { eventTypes: ['workledger.key.KeyCreated'] };
  expect(await post('/webhooks', wishes(beyond), { key: operator })).toMatchObject({
    status: 422,
    code: 'out-of-range',
  });
  expect(await post('/webhooks', wishes({ repositories: ['none'] }))).toMatchObject({ code: 'unknown-repository' });
  const { id } = await post('/webhooks', wishes(beyond));
  const change = await system.client.send('PATCH', `/webhooks/${id}`, { key: operator, body: { name: 'mine' } });
  expect(change.status).toBe(403);
  expect((await post(`/webhooks/${id}/secret`, {}, { key: operator })).status).toBe(403);
  const { token } = await system.client.expect2xx('DELETE', `/webhooks/${id}`);
  expect((await system.client.send('GET', `/webhooks/${id}`, { key: operator, token })).status).toBe(404);
});

test('the secret is told once: a repeat of the same request answers the same, without it', async () => {
  const idempotencyKey = newId();
  const [first, again] = [
    await post('/webhooks', wishes(), { idempotencyKey }),
    await post('/webhooks', wishes(), { idempotencyKey }),
  ];
  expect([first.status, again.status]).toEqual([201, 201]);
  expect(first.body['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
  expect(again.body).toEqual({ ...first.body, secret: null });
  const rotation = { idempotencyKey: newId() };
  const rotated = await post(`/webhooks/${first.id}/secret`, {}, rotation);
  expect(rotated.body['secret']).not.toBe(first.body['secret']);
  expect((await post(`/webhooks/${first.id}/secret`, {}, rotation)).body).toEqual({ ...rotated.body, secret: null });
  const { body } = await system.client.expect2xx('GET', `/streams/webhook-${first.id}`);
  expect(JSON.stringify(body)).not.toContain('whsec_');
  expect((await post('/webhooks', wishes({ name: 'y' }), { idempotencyKey })).code).toBe('idempotency-key-reused');
  await system.client.expect2xx('DELETE', `/webhooks/${first.id}`);
});

test('a key that is limited to repositories subscribes to these, and sees and changes no other subscription', async () => {
  const key = await keyOf('operator', { repositories: ['mine'] });
  const theirs = await post('/webhooks', wishes({ repositories: ['mine', 'theirs'] }));
  for (const repositories of [null, ['theirs'], ['mine', 'theirs']])
    expect((await post('/webhooks', wishes({ repositories }), { key })).code).toBe('unknown-repository');
  const own = await post('/webhooks', wishes({ url: `${subscriber.url}/mine`, repositories: ['mine'] }), { key });
  expect(own.status).toBe(201);
  const token = own.token;
  const { body: list } = await system.client.expect2xx('GET', '/webhooks', { key, token });
  expect((list['items'] as { id: string }[]).map(({ id }) => id)).toEqual([own.id]);
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/deliveries'],
    ['POST', '/pause'],
    ['POST', '/secret'],
    ['DELETE', ''],
  ] as const) {
    const call = { key, ...(method === 'POST' && { body: {} }) };
    expect((await system.client.send(method, `/webhooks/${theirs.id}${path}`, call)).status).toBe(404);
  }
  const wider = await system.client.send('PATCH', `/webhooks/${own.id}`, { key, body: { repositories: ['theirs'] } });
  expect(wider.status).toBe(422);

  const tasks = [];
  for (const repository of ['mine', 'theirs', null])
    tasks.push((await system.client.expect2xx('POST', '/tasks', { body: { title: 'x', repository } })).id);
  const question = { askee: { kind: 'role', role: 'operator' }, text: 'Which?', choices: ['a', 'b'], taskId: tasks[0] };
  const asked = await system.client.expect2xx('POST', '/questions', { body: question });
  await untilTrue(() => subscriber.to('/mine').some(({ subject }) => subject === `question-${asked.id}`));
  await untilTrue(async () => {
    const { body } = await system.client.expect2xx('GET', `/webhooks/${own.id}`, { key });
    return (body['sending'] as { waiting: number }).waiting === 0;
  });
  expect(new Set(subscriber.to('/mine').map(({ subject }) => subject))).toEqual(
    new Set([`task-${tasks[0]}`, `question-${asked.id}`]),
  );
  const { body: page } = await system.client.expect2xx('GET', `/webhooks/${own.id}/deliveries?limit=1`, { key });
  expect(page['items']).toMatchObject([{ status: 'delivered', attempts: 1, lastStatus: 204 }]);
  const next = await system.client.expect2xx('GET', `/webhooks/${own.id}/deliveries?cursor=${String(page['next'])}`, {
    key,
  });
  expect((next.body['items'] as unknown[]).length).toBeGreaterThan(0);
}, 60_000);
