import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { ofTheClock } from './harness/timers.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningSystem } from '../testing/system/engine.ts';
import { engines } from '../testing/system/engines.ts';
import { createRepositories, plantedKey, plantWork, untilAgentIsAwaited } from './harness/planted-work.ts';
import { commandData, permitted, permittedInBatch, roles } from './harness/permitted.ts';
import { permittedToLimited, permittedToLimitedAgents } from './harness/permitted-to-limited.ts';
import { untilQuiet } from '../testing/system/logs.ts';

const CALLS_AT_ONCE = 8;

type Verdict = 'let in' | 401 | 403;
/** 429: nothing else than a key that is not valid is answered so, after many of them. */
const verdictOf = (status: number): Verdict =>
  status === 429 ? 401 : status === 401 || status === 403 ? status : 'let in';

describe.each(engines)('one caller cannot read or write what its role does not allow, $name', (engine) => {
  let made: Awaited<ReturnType<typeof createRepositories>>;
  let system: RunningSystem;
  let log: EventLog;
  let ownAgent: string;
  let otherAgent: string;
  const keys = new Map<Role, string>();
  const speakForOwn = new Set<string>();
  let otherKey: string;
  let revokedKey: string;

  beforeAll(async () => {
    // Nobody beats for the agents of this test: they must not be disconnected meanwhile.
    made = await createRepositories();
    const { repositories } = made;
    system = await engine.start({ heartbeatSeconds: 3_600, repositories }, { storage: 'shared' });
    log = await system.openLog();
    [ownAgent, otherAgent] = [await newAgent('one'), await newAgent('other')];
    for (const role of roles) keys.set(role, (await newKey(role, role === 'agent' ? ownAgent : null)).key);
    speakForOwn.add(keys.get('agent')!);
    otherKey = (await newKey('agent', otherAgent)).key;
    const { id, key } = await newKey('admin', null);
    await system.client.expect2xx('DELETE', `/keys/${id}`, { body: {} });
    revokedKey = key;
  });
  afterAll(async () => {
    await log.close();
    await system.dispose();
    await made.remove();
  });

  const create = (path: string, body: object) => system.client.expect2xx('POST', path, { body });
  const newAgent = async (name: string) => (await create('/agents', { name, capacity: 9 })).id;
  const newKey = async (role: Role, agentId: string | null, limits: object = {}) => {
    const { id, body } = await create('/keys', { name: `a key for ${role}`, role, agentId, ...limits });
    return { id, key: String(body['key']) };
  };

  /** Calls a route as OpenAPI writes it, with ids that name nothing, or the caller's own agent, and an empty body. */
  async function verdict(route: string, key: string | null): Promise<Verdict> {
    const [method = '', template = ''] = route.split(' ');
    const path = template
      .replace('/agents/{id}', `/agents/${speakForOwn.has(key ?? '') ? ownAgent : newId()}`)
      .replace('{digest}', '0'.repeat(64))
      .replace('{stream}', `task-${newId()}`)
      .replaceAll(/\{\w+\}/g, () => newId());
    const body = method === 'GET' ? {} : { body: {} };
    return verdictOf((await system.client.send(method, `/../..${path}`, { key, ...body })).status);
  }
  const verdicts = async (key: string | null): Promise<Record<string, Verdict>> => {
    const all: Record<string, Verdict> = {};
    const routes = Object.keys(permitted).values();
    const askAll = async (): Promise<void> => {
      for (const route of routes) all[route] = await verdict(route, key);
    };
    await Promise.all(Array.from({ length: CALLS_AT_ONCE }, askAll));
    return all;
  };
  const expected = (inCase: (allowed: readonly Role[]) => Verdict): Record<string, Verdict> =>
    Object.fromEntries(
      Object.entries(permitted).map(([route, allowed]) => [route, allowed === 'public' ? 'let in' : inCase(allowed)]),
    );

  test('there is no route that nobody thought about', async () => {
    const descriptions = ['/openapi.json', '/openapi/commands.json'].map((path) =>
      system.client.send('GET', path, { key: null }),
    );
    // One process tells all in one; behind the gateway each side tells its own.
    const told = (await Promise.all(descriptions)).filter(({ status }) => status === 200);
    const routes = told.flatMap(({ body }) =>
      Object.entries(body['paths'] as Record<string, object>).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
      ),
    );
    expect([...new Set(routes)].toSorted()).toEqual(Object.keys(permitted).toSorted());
  });

  test.each(roles)('%s: every route', async (role) => {
    expect(await verdicts(keys.get(role)!)).toEqual(expected((allowed) => (allowed.includes(role) ? 'let in' : 403)));
  });

  test('a key that has expired: every route', async () => {
    const { key, append } = plantedKey({ role: 'admin', expiresAt: '2026-01-01T00:00:00.000Z' });
    await append(log);
    const { status, body } = await system.client.send('GET', '/tasks', { key });
    expect([status, body['type']]).toEqual([401, 'https://workledger.dev/problems/key-expired']);
    expect(await verdicts(key)).toEqual(expected(() => 401));
  });

  test('no key, a bad one, another secret, a revoked one, one without its MAC: every route', async () => {
    const admin = keys.get('admin')!;
    const [, id] = admin.split('_', 2);
    const otherSecret = `wl_${id}${revokedKey.slice(3 + id!.length)}`;
    const withoutMac = admin.slice(0, 3 + 32 + 1 + 43);
    for (const key of [null, 'wl_', otherSecret, otherSecret.slice(0, withoutMac.length), withoutMac, revokedKey])
      expect(await verdicts(key)).toEqual(expected(() => 401));
  });

  test('a key of an agent that is deregistered, from the answer on: every route', async () => {
    const agentId = await newAgent('leaving');
    const { key } = await newKey('agent', agentId);
    expect((await system.client.send('GET', '/tasks', { key })).status).toBe(200);
    await system.client.expect2xx('DELETE', `/agents/${agentId}`, { body: {} });
    expect(await verdicts(key)).toEqual(expected(() => 401));
  });

  /** A user, and a key of theirs. */
  async function newUser(role: Role, more: object = {}, keyRole = role) {
    const { id, token } = await create('/users', { name: 'somebody', role, ...more });
    const { body } = await create('/keys', { name: 'theirs', role: keyRole, userId: id });
    return { id, token, key: String(body['key']) };
  }
  const me = async ({ key, token }: { key: string; token: string }) =>
    (await system.client.expect2xx('GET', '/me', { key, token })).body;

  test('a key of a user who is suspended, from the answer on: every route', async () => {
    const { id, key } = await newUser('admin');
    expect(await verdict('GET /api/v1/keys', key)).toBe('let in');
    await create(`/users/${id}/suspend`, { reason: 'left' });
    expect(await verdicts(key)).toEqual(expected(() => 403));
    const { body } = await system.client.send('GET', '/tasks', { key });
    expect(body['type']).toBe('https://workledger.dev/problems/user-suspended');
  });

  test.each([
    ['admin', 'operator', 'operator'],
    ['admin', 'viewer', 'viewer'],
    ['operator', 'auditor', 'viewer'],
  ] as const)('a key of an %s who is made %s, from the answer on, is one of %s: every route', async (had, has, may) => {
    const { id, key } = await newUser(had);
    expect((await system.client.send('GET', '/tasks', { key })).status).toBe(200);
    await system.client.expect2xx('PATCH', `/users/${id}`, { body: { role: has } });
    expect(await verdicts(key)).toEqual(expected((allowed) => (allowed.includes(may) ? 'let in' : 403)));
  });

  test('a key is no more than it was made for, whatever becomes of its user', async () => {
    const { id, key } = await newUser('operator', {}, 'viewer');
    await system.client.expect2xx('PATCH', `/users/${id}`, { body: { role: 'admin' } });
    expect(await verdicts(key)).toEqual(expected((allowed) => (allowed.includes('viewer') ? 'let in' : 403)));
  });

  test('who is in a team is so until the answer that they are not, and nobody else is', async () => {
    const [one, other] = [await newUser('viewer', { teams: ['core'] }), await newUser('viewer', { teams: ['web'] })];
    expect((await me(one))['teams']).toEqual(['core']);
    expect((await me(other))['teams']).toEqual(['web']);
    await system.client.expect2xx('DELETE', `/users/${one.id}/teams/core`);
    expect(await me(one)).toMatchObject({ actor: `user:${one.id}`, teams: [] });
  });

  test.each(['viewer', 'agent', 'operator'] as const)('%s, limited to a repository: every route', async (role) => {
    const { key } = await newKey(role, role === 'agent' ? ownAgent : null, { repositories: ['mine'] });
    if (role === 'agent') speakForOwn.add(key);
    const open = role === 'agent' ? permittedToLimitedAgents : permittedToLimited;
    const wanted = Object.entries(permitted).map(([route, allowed]) => {
      const isLetIn = allowed === 'public' || (allowed.includes(role) && open.includes(route));
      return [route, isLetIn ? 'let in' : 403];
    });
    expect(await verdicts(key)).toEqual(Object.fromEntries(wanted));
  });

  test('limited to a repository, a key reads and claims what belongs to it, and nothing else is there', async () => {
    const work = {
      mine: await plantWork(system, log, 'mine'),
      theirs: await plantWork(system, log, 'theirs'),
    };
    const { key } = await newKey('agent', ownAgent, { repositories: ['mine'] });
    const status = async (path: string) => (await system.client.send('GET', path, { key })).status;
    const ids = async (path: string) =>
      ((await system.client.send('GET', path, { key })).body['items'] as { id: string }[]).map(({ id }) => id);
    for (const path of [`/tasks/`, '/generations/', '/artefacts/'] as const)
      expect([path, await status(path + work.mine[path]), await status(path + work.theirs[path])]).toEqual([
        path,
        200,
        404,
      ]);
    expect(await ids('/tasks')).toEqual([work.mine['/tasks/']]);
    expect(await ids('/generations')).toEqual([work.mine['/generations/']]);
    const claim = (id: string) =>
      system.client.send('POST', `/tasks/${id}/claim`, { key, body: { agentId: ownAgent } });
    expect((await claim(work.theirs['/tasks/'])).status).toBe(404);
    const own = await claim(work.mine['/tasks/']);
    expect(own.status).toBe(200);
    const { status: claimed, body } = await system.client.send('POST', `/agents/${ownAgent}/claims`, { key, body: {} });
    expect([claimed, body['taskId']]).toEqual([200, undefined]);
    // What the claim began must not go on beside the tests that follow.
    await untilAgentIsAwaited(system, String(own.body['claimId']));
  });

  test('a key is refused from the answer to its revocation on', async () => {
    for (const revoke of [
      (id: string) => system.client.expect2xx('DELETE', `/keys/${id}`, { body: {} }),
      (id: string) => create('/commands', { commands: [{ type: 'key.revoke', target: id }] }),
    ]) {
      const { id, key } = await newKey('admin', null);
      expect((await system.client.send('GET', '/keys', { key })).status).toBe(200);
      await revoke(id);
      expect(verdictOf((await system.client.send('GET', '/keys', { key })).status)).toBe(401);
    }
  });

  test.each(roles)('%s: every command in a batch', async (role) => {
    for (const [type, allowed] of Object.entries(permittedInBatch)) {
      const target = role === 'agent' && type.startsWith('agent.') ? ownAgent : newId();
      const makes = /\.(create|register|define)$|^workflow-run\.start/;
      const command = makes.test(type) ? { type } : { type, target };
      const { status, body } = await system.client.send('POST', '/commands', {
        key: keys.get(role)!,
        body: { commands: [{ ...command, data: commandData[type] ?? {} }] },
      });
      const results = body['results'] as { status: number }[] | undefined;
      expect([type, verdictOf(results?.[0]?.status ?? status)]).toEqual([
        type,
        allowed.includes(role) ? 'let in' : 403,
      ]);
    }
  });

  test("an agent's key speaks for its own agent only", async () => {
    const { id: task } = await create('/tasks', { title: 'for the other' });
    const { body } = await create(`/tasks/${task}/claim`, { agentId: otherAgent });
    const claimId = String(body['claimId']);
    const { id: free } = await create('/tasks', { title: 'free' });
    const wishes: readonly (readonly [string, object])[] = [
      [`/agents/${otherAgent}/beat`, {}],
      [`/agents/${otherAgent}/claims`, {}],
      [`/agents/${otherAgent}/error`, { message: 'not true' }],
      [`/agents/${otherAgent}/clear-error`, {}],
      [`/tasks/${free}/claim`, { agentId: otherAgent }],
      [`/tasks/${task}/renew`, { claimId }],
      [`/tasks/${task}/progress`, { claimId, note: 'not mine' }],
      [`/tasks/${task}/submit`, { claimId, commit: null }],
      [`/tasks/${task}/release`, { claimId, reason: 'mine now' }],
    ];
    const before = await untilQuiet(log, engine.calmMilliseconds);
    for (const [path, wish] of wishes) {
      const { status } = await system.client.send('POST', path, { key: keys.get('agent')!, body: wish });
      expect([path, status]).toEqual([path, 403]);
    }
    const all = await system.client.log();
    // What began earlier may go on: a run of a workflow waits for longer than the log must be quiet.
    const begun = new Set(
      all.flatMap(({ position, metadata }) => (BigInt(position) <= before ? [metadata.correlationId] : [])),
    );
    const appended = all.filter((event) => !begun.has(event.metadata.correlationId) && !ofTheClock(event));
    expect(appended, 'nothing was appended').toEqual([]);
    const own = [wishes[0]!, wishes[5]!, wishes[6]!, wishes[7]!];
    for (const [path, wish] of own)
      expect((await system.client.send('POST', path, { key: otherKey, body: wish })).status, path).toBe(200);
  });

  test("one caller's Idempotency-Key says nothing of another's", async () => {
    const call = { body: { title: 'mine' }, idempotencyKey: 'the-same' };
    const [one, other] = [
      await system.client.expect2xx('POST', '/tasks', { ...call, key: keys.get('operator')! }),
      await system.client.expect2xx('POST', '/tasks', call),
    ];
    expect(other.id).not.toBe(one.id);
  });
});
