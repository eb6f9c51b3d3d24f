import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { digestOf } from '@workledger/shared/aggregate/canonical-json.ts';
import { documentStorm } from '../testing/documents/storm.ts';
import { seeds } from '../testing/events/random.ts';
import { runGuide } from '../testing/system/guide.ts';
import { openSocket } from '../testing/system/live.ts';
import { embedded } from '../testing/system/embedded.ts';
import type { RunningSystem } from '../testing/system/engine.ts';

let system: RunningSystem;
beforeAll(async () => {
  const shop = { name: 'shop', url: '/nowhere/shop', test: ['true'], documents: { strategy: 'last-writer' as const } };
  system = await embedded.start({ repositories: [shop] });
}, 60_000);
afterAll(() => system.dispose());

const DOCUMENTS = '/documents';
const [seed] = seeds(1) as [number];

describe('a shared document', () => {
  test('is created, changed on a version, read, verified and repaired', async () => {
    const { client } = system;
    const body = { title: 'Plan', owner: { name: 'Ann' }, hours: 3 };
    const created = await client.expect2xx('POST', DOCUMENTS, { body: { name: 'plan', body } });
    const at = `${DOCUMENTS}/${created.id}`;
    const key = { idempotencyKey: 'title' };
    const change = { base: 0, patch: [{ op: 'replace', path: '/title', value: 'A plan' }] };
    const changed = await client.expect2xx('PATCH', at, { body: change, ...key });
    expect(changed.body).toMatchObject({ version: 1, outcome: 'applied', conflicts: [] });
    expect((await client.expect2xx('PATCH', at, { body: change, ...key })).body).toEqual(changed.body);
    // On the version before: another field is taken, the same one waits for a person.
    const other = await client.expect2xx('PATCH', at, { body: { base: 0, merge: { title: 'My plan', hours: 5 } } });
    expect(other.body).toMatchObject({
      outcome: 'partly',
      patch: [{ op: 'replace', path: '/hours', value: 5 }],
      conflicts: [
        { id: '2-0', path: '/title', outcome: 'open', current: { value: 'A plan' }, proposed: { value: 'My plan' } },
      ],
    });
    const { token } = other;
    const read = await client.expect2xx('GET', at, { token });
    expect(read.body).toMatchObject({
      body: { ...body, title: 'A plan', hours: 5 },
      openConflicts: 1,
      digest: other.body['digest'],
    });
    expect(read.headers.get('etag')).toBe('"2"');
    expect((await client.expect2xx('GET', `${at}/conflicts`, { token })).body['items']).toHaveLength(1);
    expect((await client.expect2xx('GET', `${at}/versions/0`)).body).toMatchObject({
      body,
      digest: created.body['digest'],
    });
    expect((await client.send('GET', `${at}/versions/9`)).status).toBe(404);
    const verify = async (version: number, digest: unknown) =>
      (await client.expect2xx('GET', `${at}/verify?version=${version}&digest=${String(digest)}`)).body;
    expect(await verify(2, other.body['digest'])).toMatchObject({ isEqual: true, isCurrent: true, changes: [] });
    expect(await verify(1, changed.body['digest'])).toMatchObject({
      isEqual: true,
      isCurrent: false,
      changes: [{ version: 2 }],
    });
    expect(await verify(1, created.body['digest'])).toMatchObject({
      isEqual: false,
      changes: null,
      document: { version: 2 },
    });
    const stale = await client.send('POST', `${at}/conflicts/2-0/resolve`, {
      body: { choose: 'proposed' },
      ifMatch: 1,
    });
    expect(stale.status).toBe(412);
    const resolved = await client.expect2xx('POST', `${at}/conflicts/2-0/resolve`, { body: { choose: 'proposed' } });
    const after = await client.expect2xx('GET', at, { token: resolved.token });
    expect(after.body).toMatchObject({ body: { ...body, title: 'My plan', hours: 5 }, conflicts: [] });
    const deleted = await client.expect2xx('DELETE', at);
    expect((await client.send('GET', at, { token: deleted.token })).status).toBe(404);
    expect((await client.send('PATCH', at, { body: change })).status).toBe(404);
  });

  test('is settled as its repository says where it names no strategy, and what is configured later does not change it', async () => {
    const { client } = system;
    const create = async (more: object) =>
      (await client.expect2xx('POST', DOCUMENTS, { body: { name: 'ruled', body: { x: 0 }, ...more } })).id;
    const strategyOf = async (id: string) => {
      const [created] = await client.stream(`document-${id}`);
      return (created!.data as { rules: { strategy: string } }).rules.strategy;
    };
    const [first, own, nobodys] = [
      await create({ repository: 'shop' }),
      await create({ repository: 'shop', strategy: 'manual' }),
      await create({}),
    ];
    const changes = [{ path: '/repositories/shop/documents', value: { strategy: 'first-writer' } }];
    await client.expect2xx('PATCH', '/configuration/environments/production', { body: { reason: 'slow', changes } });
    const later = await create({ repository: 'shop' });
    expect(await Promise.all([first, own, nobodys, later].map(strategyOf))).toEqual([
      ...['last-writer', 'manual', 'manual', 'first-writer'],
    ]);
    const change = (value: number) => client.expect2xx('PATCH', `${DOCUMENTS}/${first}`, { body: { base: 0, merge: { x: value } } }); // prettier-ignore
    await change(1);
    expect((await change(2)).body).toMatchObject({ outcome: 'applied', conflicts: [{ strategy: 'last-writer' }] });
    await client.expect2xx('PUT', `${DOCUMENTS}/${own}/rules`, { body: {} });
    expect((await client.stream(`document-${own}`)).at(-1)).toMatchObject({
      data: { rules: { strategy: 'first-writer' } },
    });
  });

  test('does what its guide says, by its own lines', async () => {
    const { client, folder } = system;
    const { body } = await client.expect2xx('POST', '/keys', { body: { name: 'guide', role: 'operator' } });
    const environment = { WORKLEDGER: client.urlOf('').replace('/api/v1', ''), KEY: String(body['key']) };
    const { code, output } = await runGuide('documents.md', { cwd: folder, environment });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/3 in step\n$/) });
    expect(output).toContain('applied\npartly\n{"tags":["a","b"],"hours":5,"title":"A plan"}\n3\ntrue\n');
  });

  test('is followed by those alone who may read it, and a proposal takes effect once on whatever line it comes', async () => {
    const { client } = system;
    const name = { name: 'rights', body: { x: 1 }, strategy: 'last-writer' };
    const { id: document, body: created } = await client.expect2xx('POST', DOCUMENTS, { body: name });
    const keyOf = async (more: object) =>
      String((await client.expect2xx('POST', '/keys', { body: { name: 'k', role: 'operator', ...more } })).body['key']);
    const url = client.urlOf('/collaborative/sync');
    const limited = await openSocket(url, await keyOf({ repositories: ['shop'] }));
    limited.say({ type: 'subscribe', id: 1, document });
    expect(await limited.until({ type: 'problem', id: 1 })).toMatchObject({
      of: 'subscribe',
      problem: { status: 404 },
    });
    const viewer = await openSocket(url, await keyOf({ role: 'viewer' }));
    viewer.say({ type: 'subscribe', document });
    expect(await viewer.until({ type: 'snapshot' })).toMatchObject({
      reason: 'new',
      version: 0,
      body: { x: 1 },
      digest: created['digest'],
    });
    const proposal = {
      type: 'propose',
      id: 'once',
      document,
      base: 0,
      patch: [{ op: 'replace', path: '/x', value: 2 }],
    };
    viewer.say(proposal);
    expect(await viewer.until({ type: 'rejected' })).toMatchObject({ id: 'once', problem: { status: 403 } });
    const key = await keyOf({});
    for (const line of [await openSocket(url, key), await openSocket(url, key)]) {
      line.say(proposal);
      expect(await line.until({ type: 'accepted' })).toMatchObject({ id: 'once', version: 1, outcome: 'applied' });
      line.say({ ...proposal, id: 'late', base: 99 });
      expect(await line.until({ type: 'rejected' })).toMatchObject({ id: 'late', problem: { status: 422 } });
      line.say({ type: 'nonsense' });
      expect(await line.until({ type: 'problem' })).toMatchObject({ of: null, problem: { status: 400 } });
      line.close();
    }
    expect(await viewer.until({ type: 'change' })).toMatchObject({
      version: 1,
      kind: 'proposal',
      patch: proposal.patch,
    });
    viewer.say({ type: 'subscribe', id: 'again', document, fromVersion: 0, digest: created['digest'] });
    expect(await viewer.until({ type: 'subscribed', id: 'again' })).toMatchObject({ version: 1 });
    viewer.say({ type: 'subscribe', id: 'drifted', document, fromVersion: 1, digest: created['digest'] });
    expect(await viewer.until({ type: 'snapshot', reason: 'drifted' })).toMatchObject({ version: 1, body: { x: 2 } });
    await client.expect2xx('DELETE', `${DOCUMENTS}/${document}`);
    expect(await viewer.until({ type: 'change', kind: 'deleted' })).toMatchObject({ version: 2 });
    for (const line of [limited, viewer]) line.close();
  });

  test('is told whoever comes back what they missed, the whole if that is too much, and nothing to whoever left', async () => {
    const { client } = system;
    const told = { name: 'long', body: { n: 0 }, strategy: 'last-writer' };
    const { id: document, body: created } = await client.expect2xx('POST', DOCUMENTS, { body: told });
    const propose = (from: number, to: number) =>
      client.expect2xx('POST', '/commands', {
        body: {
          commands: Array.from({ length: to - from }, (_, place) => ({
            ...{ type: 'document.propose', target: document },
            data: { base: from + place, merge: { n: from + place + 1 } },
          })),
        },
      });
    await propose(0, 2);
    const { body: made } = await client.expect2xx('POST', '/keys', { body: { name: 'long', role: 'viewer' } });
    const open = () => openSocket(client.urlOf('/collaborative/sync'), String(made['key']));
    const copy = { type: 'subscribe', document, fromVersion: 0, digest: created['digest'] };

    const [staying, leaving] = [await open(), await open()];
    for (const line of [staying, leaving]) {
      line.say({ ...copy, id: 'back' });
      await line.until({ type: 'subscribed', id: 'back' });
      const changes = line.frames.filter(({ type }) => type === 'change');
      expect(changes).toMatchObject(
        [1, 2].map((n) => ({ version: n, patch: [{ op: 'replace', path: '/n', value: n }], digest: digestOf({ n }) })),
      );
    }
    leaving.say({ type: 'unsubscribe', id: 'bye', document });
    await leaving.until({ type: 'unsubscribed', id: 'bye' });
    await propose(2, 3);
    await staying.until({ type: 'change', version: 3 });
    leaving.say({ ...copy, id: 'again', fromVersion: 3, digest: digestOf({ n: 3 }) });
    await leaving.until({ type: 'subscribed', id: 'again' });
    expect(leaving.frames.filter(({ version, type }) => type === 'change' && version === 3)).toEqual([]);

    let last = '';
    for (let from = 3; from < 403; from += 100) last = (await propose(from, from + 100)).token;
    const { body: now } = await client.expect2xx('GET', `${DOCUMENTS}/${document}`, {
      token: last,
    });
    const behind = await open();
    behind.say({ ...copy, id: 'behind' });
    expect(await behind.until({ type: 'snapshot' })).toMatchObject({ reason: 'too-far-back', body: now['body'] });
    await behind.until({ type: 'subscribed', id: 'behind' });
    expect(behind.frames.filter(({ type }) => type === 'change')).toEqual([]);
    for (const line of [staying, leaving, behind]) line.close();
  });

  test(`that twenty edit at random is the same for all at the end, though lines break, copies are spoilt and the server is killed (SEED=${seed})`, async () => {
    const storm = await documentStorm(system.client, { clients: 20, seconds: 6, pace: 200, seed }, async () => {
      await pause(3_000);
      await system.kill9('service', 'storage');
      await system.restart();
    });
    console.log(storm);
    expect(storm.digests.size, 'different documents').toBe(1);
    expect(storm.counted, 'each accepted proposal counts once').toBe(storm.counts);
    expect(Math.min(storm.accepted, storm.conflicts, storm.repairs, storm.resent)).toBeGreaterThan(0);
  }, 120_000);
});
