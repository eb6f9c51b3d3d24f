import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Call } from '@workledger/shared/client/client.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { systemFolder, type SystemFolder } from '../../testing/processes/folder.ts';
import { startInFolder, type RunningSystem } from '../../testing/system/in-folder.ts';
import { listen, openSocket } from '../../testing/system/live.ts';

type Inbox = {
  items: { id: string; subject: string; unread: boolean; content: unknown }[];
  unread: number;
  next: string;
};

let folder: SystemFolder;
let system: RunningSystem;
const start = () => startInFolder(folder.path, { sandbox: 'off' });
let [ada, bob, ops] = [
  { id: '', key: '', keyId: '' },
  { id: '', key: '', keyId: '' },
  { id: '', key: '', keyId: '' },
];

beforeAll(async () => {
  folder = await systemFolder();
  system = await start();
  const agent = async (name: string) => {
    const { id } = await system.client.expect2xx('POST', '/agents', { body: { name } });
    const made = await system.client.expect2xx('POST', '/keys', { body: { name, role: 'agent', agentId: id } });
    return { id, key: String(made.body['key']), keyId: made.id };
  };
  [ada, bob] = [await agent('ada'), await agent('bob')];
  const made = await system.client.expect2xx('POST', '/keys', { body: { name: 'ops', role: 'operator' } });
  ops = { id: made.id, key: String(made.body['key']), keyId: made.id };
}, 120_000);
afterAll(async () => {
  await system.stop();
  await folder.remove();
});

const to = ({ id }: { id: string }) => ({ kind: 'participant', participant: `agent:${id}` });
const send = (body: object, call: Call) => system.client.send('POST', '/messages', { ...call, body });
const inbox = async (who: { key: string }, query = '', token?: string): Promise<Inbox> => {
  const call = { key: who.key, ...(token !== undefined && { token }) };
  return (await system.client.expect2xx('GET', `/inbox${query}`, call)).body as Inbox;
};

describe('messages, from their types to their confirmations', { timeout: 60_000 }, () => {
  test('a type is registered, and content is judged by it', async () => {
    const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] };
    const type = { name: 'build.report', schema };
    const made = await system.client.expect2xx('POST', '/message-types', { body: type, key: ops.key });
    const again = await system.client.expect2xx('POST', '/message-types', { body: type, key: ops.key });
    expect(again).toMatchObject({ id: made.id, revision: 0 });
    const bad = { to: to(bob), subject: 'built', messageType: 'build.report', content: { ok: 'yes' } };
    expect(await send(bad, { key: ada.key })).toMatchObject({
      status: 422,
      body: {
        type: 'https://workledger.dev/problems/invalid-content',
        errors: [{ path: 'content.ok', message: 'must be boolean' }],
      },
    });
    const good = await send({ ...bad, content: { ok: true } }, { key: ada.key });
    expect(good.status).toBe(201);
    const { items, unread } = await inbox(bob, '', good.token);
    expect(unread).toBe(1);
    expect(items).toMatchObject([{ id: good.id, subject: 'built', unread: true, content: { ok: true } }]);
    expect(await inbox(ada)).toMatchObject({ items: [], unread: 0 });
  });

  test('whom it is for must be there, and who may not send is told so', async () => {
    for (const participant of [`agent:${newId()}`, `key:${newId()}`, `key:${ada.keyId}`, `user:${newId()}`])
      expect(
        (await send({ to: { kind: 'participant', participant }, subject: 'x' }, { key: ada.key })).body['type'],
      ).toContain('unknown-reference');
    expect((await send({ to: { kind: 'all' }, subject: 'x' }, { key: ada.key })).status).toBe(403);
    expect((await send({ to: to(bob), subject: 'x', taskId: newId() }, { key: ada.key })).status).toBe(422);
  });

  test('it was delivered, then read, and whoever sent it sees both; nobody else reads it', async () => {
    const sent = await send({ to: to(bob), subject: 'please read' }, { key: ada.key });
    const confirm = (what: string, key: string) =>
      system.client.send('POST', `/inbox/${sent.id}/${what}`, { key, body: {} });
    expect((await confirm('read', ops.key)).status).toBe(404);
    await confirm('delivered', bob.key);
    const read = await confirm('read', bob.key);
    expect(read.revision).toBe(2);
    expect((await confirm('read', bob.key)).revision).toBe(2);
    const seen = await system.client.expect2xx('GET', `/messages/${sent.id}`, { key: ada.key, token: read.token });
    const confirmations = seen.body['confirmations'] as { deliveredAt: string; readAt: string }[];
    expect(confirmations).toMatchObject([{ participant: `agent:${bob.id}` }]);
    expect(confirmations[0]?.readAt).toBeTruthy();
    const stranger = await system.client.expect2xx('POST', '/keys', { body: { name: 's', role: 'viewer' } });
    const key = String(stranger.body['key']);
    expect((await system.client.send('GET', `/messages/${sent.id}`, { key })).status).toBe(404);
  });

  test('a topic reaches those that are subscribed from then on; to all reaches all; read-all marks them', async () => {
    await send({ to: { kind: 'topic', topic: 'builds' }, subject: 'too early' }, { key: ada.key });
    const joined = await system.client.expect2xx('POST', '/inbox/topics/builds', { key: bob.key });
    const topic = await send({ to: { kind: 'topic', topic: 'builds' }, subject: 'to the topic' }, { key: ada.key });
    const all = await send({ to: { kind: 'all' }, subject: 'to all' }, { key: ops.key });
    const now = await inbox(bob, '?unread=true', [joined, topic, all].map(({ token }) => token).join());
    expect(now.items.map(({ subject }) => subject)).toEqual(['to all', 'to the topic', 'built']);
    expect(now.unread).toBe(3);
    const read = await system.client.expect2xx('POST', `/inbox/${all.id}/read`, { key: bob.key, body: {} });
    const ordered = await inbox(bob, '?order=unread-first&limit=2', read.token);
    expect(ordered.items.map(({ subject }) => subject)).toEqual(['to the topic', 'built']);
    const rest = await inbox(bob, `?order=unread-first&limit=2&cursor=${ordered.next}`);
    expect(rest.items.map(({ subject }) => subject)).toEqual(['to all', 'please read']);
    const done = await system.client.expect2xx('POST', '/inbox/read-all', { key: bob.key, body: {} });
    expect(await inbox(bob, '?unread=true', done.token)).toMatchObject({ items: [], unread: 0 });
    expect((await inbox(ada)).items.map(({ subject }) => subject)).toEqual(['to all']);
    await system.client.expect2xx('DELETE', '/inbox/topics/builds', { key: bob.key });
  });
});

describe('the live channel', { timeout: 60_000 }, () => {
  test('pushes what comes and what was confirmed, and goes on after a restart where it stopped', async () => {
    const line = await listen(system.url, bob.key, 'inbox');
    const sender = await listen(system.url, ada.key, 'inbox');
    await line.until(({ event }) => event === 'hello');
    await sender.until(({ event }) => event === 'hello');
    const sent = await send({ to: to(bob), subject: 'live' }, { key: ada.key });
    const heard = await line.until(({ event }) => event === 'message');
    expect(heard.data).toMatchObject({ feed: 'inbox', data: { id: sent.id, subject: 'live', body: '' } });
    await system.client.expect2xx('POST', `/inbox/${sent.id}/read`, { key: bob.key, body: {} });
    expect((await sender.until(({ event }) => event === 'read')).data).toMatchObject({ data: { messageId: sent.id } });

    await system.stop();
    expect((await line.until(({ event }) => event === 'closing')).data).toMatchObject({ reason: 'shutdown' });
    await line.ended;
    system = await start();
    await send({ to: to(bob), subject: 'meanwhile' }, { key: ada.key });
    const again = await listen(system.url, bob.key, 'inbox', heard.id);
    await send({ to: to(bob), subject: 'now' }, { key: ada.key });
    await again.until(({ data }) => JSON.stringify(data).includes('"now"'));
    const subjects = again.events.flatMap(({ event, data }) =>
      event === 'message' ? (data['data'] as { subject: string }).subject : [],
    );
    expect(subjects).toEqual(['meanwhile', 'now']);
    again.close();
  });

  test('over a WebSocket: subscribes, sends a command under its own key, and tells the steps of a task', async () => {
    const socket = await openSocket(system.url, ops.key);
    socket.say({ type: 'command', id: 1, method: 'POST', path: '/api/v1/tasks', body: { title: 'by socket' } });
    const answer = await socket.until({ type: 'answer', id: 1, status: 201 });
    const made = answer as { body: { id: string } };
    socket.say({ type: 'command', id: 2, method: 'POST', path: '/api/v1/keys', body: { name: 'x', role: 'admin' } });
    await socket.until({ type: 'answer', id: 2, status: 403 });
    await system.client.expect2xx('GET', `/tasks/${made.body.id}`);
    socket.say({ type: 'subscribe', id: 3, feed: `task:${made.body.id}` });
    await socket.until({ type: 'subscribed', id: 3 });
    await system.client.expect2xx('POST', `/tasks/${made.body.id}/cancel`, { body: {} });
    await socket.until({ type: 'event', feed: `task:${made.body.id}`, event: 'task' });
    socket.say({ type: 'subscribe', feed: `task:${newId()}` });
    await socket.until({ type: 'problem', of: 'subscribe' });
    socket.say({ type: 'command', id: 4, method: 'POST', path: '/api/v1/service/commands', body: {} });
    await socket.until({ type: 'problem', of: null });
    socket.close();
  });

  test('closes the line of a key that is revoked, and refuses who has none', async () => {
    const made = await system.client.expect2xx('POST', '/keys', { body: { name: 'brief', role: 'viewer' } });
    const line = await listen(system.url, String(made.body['key']), 'inbox');
    await line.until(({ event }) => event === 'hello');
    await system.client.expect2xx('DELETE', `/keys/${made.id}`, { body: {} });
    expect((await line.until(({ event }) => event === 'closing')).data).toMatchObject({ reason: 'unauthenticated' });
    await line.ended;
    expect((await listen(system.url, 'wl_x', 'inbox')).status).toBe(401);
    expect((await listen(system.url, ada.key, 'nothing')).status).toBe(400);
    expect((await listen(system.url, ada.key, 'inbox', 'bm9uZQ')).status).toBe(422);
  });

  test('closes its lines with a notice when the service stops', async () => {
    const line = await listen(system.url, ada.key, 'inbox');
    await line.until(({ event }) => event === 'hello');
    await system.stop();
    expect((await line.until(({ event }) => event === 'closing')).data).toMatchObject({ reason: 'shutdown' });
    await line.ended;
  });
});
