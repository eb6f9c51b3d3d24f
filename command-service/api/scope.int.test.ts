import { problemCode } from '@workledger/infra/testing/servers/application.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { create, register } from '../processes/testing.ts';
import { startService, type Service } from './testing/service.ts';

let service: Service;
let agentId: string;
const key = { operator: '', agent: '' };
const task = { mine: '', theirs: '', nobodys: '' };

beforeAll(async () => {
  service = await startService();
  agentId = await register(service);
  const limits = { repositories: ['sample'] };
  key.operator = (await service.key('operator', undefined, limits)).key;
  key.agent = (await service.key('agent', agentId, limits)).key;
  task.mine = await create(service);
  task.theirs = await create(service, { repository: 'other' });
  task.nobodys = await create(service, { repository: null });
});
afterAll(() => service.close());

/** Status and problem of a POST below /api/v1; nothing is appended where it is refused. */
async function told(by: 'operator' | 'agent', path: string, json: object): Promise<readonly [number, string]> {
  const before = await service.log.head();
  const answer = await service.client.ask('POST', `/api/v1${path}`, { key: key[by], json });
  if (answer.status >= 400) expect(await service.log.head()).toBe(before);
  return [answer.status, answer.status < 400 ? '' : problemCode(answer)];
}

describe('a key that is limited to a repository', () => {
  const claimId = newId();
  test.each([
    ['operator', 'cancel', {}],
    ['operator', 'retry', {}],
    ['operator', 'expand', { subtasks: [{ title: 'x', repository: 'sample' }] }],
    ['agent', 'claim', { agentId: '' }],
    ['agent', 'renew', { claimId }],
    ['agent', 'progress', { claimId, note: 'x' }],
    ['agent', 'submit', { claimId, commit: null }],
    ['agent', 'release', { claimId, reason: 'x' }],
  ] as const)('%s: to %s a task of others answers as if there were none', async (by, intention, wish) => {
    const json = 'agentId' in wish ? { agentId } : wish;
    for (const id of [task.theirs, task.nobodys, newId()])
      expect(await told(by, `/tasks/${id}/${intention}`, json)).toEqual([404, 'not-found']);
  });

  test('creates tasks of its repositories, and of no other', async () => {
    expect(await told('operator', '/tasks', { title: 'x', repository: 'sample' })).toEqual([201, '']);
    for (const repository of ['other', 'nowhere', null])
      expect(await told('operator', '/tasks', { title: 'x', repository })).toEqual([422, 'unknown-repository']);
    const subtasks = [{ title: 'x', repository: 'other' }];
    expect(await told('operator', `/tasks/${task.mine}/expand`, { subtasks })).toEqual([422, 'unknown-repository']);
  });

  test('is told of a task of others that it names what it is told of one that is not there', async () => {
    const of = async (id: string) => {
      const { status, body } = await service.client.ask('POST', '/api/v1/tasks', {
        key: key.operator,
        json: { title: 'x', repository: 'sample', dependencies: [id] },
      });
      return [status, String(body['detail']).replace(id, '')];
    };
    expect(await of(task.theirs)).toEqual(await of(newId()));
    const json = { title: 'x', repository: 'sample', parentId: task.theirs };
    expect(await told('operator', '/tasks', json)).toEqual([422, 'unknown-reference']);
    const edge = { dependsOn: task.theirs };
    expect(await told('operator', `/tasks/${task.mine}/dependencies`, edge)).toEqual([422, 'unknown-reference']);
  });

  test('is held to it in a batch, too', async () => {
    const commands = [
      { type: 'task.cancel', target: task.theirs },
      { type: 'task.change', target: task.mine, data: { title: 'y' } },
      { type: 'agent.deregister', target: agentId },
    ];
    const { body } = await service.client.ask('POST', '/api/v1/commands', { key: key.operator, json: { commands } });
    expect((body['results'] as { status: number }[]).map(({ status }) => status)).toEqual([404, 200, 403]);
  });

  test.each([
    ['/agents', { name: 'x' }],
    ['/parked/redrive', { kind: 'read-model', name: 'tasks', stream: `task-${newId()}`, key: '' }],
  ])('may not do what belongs to no repository: POST %s', async (path, json) => {
    expect(await told('operator', path, json)).toEqual([403, 'forbidden']);
  });

  test('claims the next task of its repositories only', async () => {
    service.hints.push({ taskId: task.theirs }, { taskId: task.nobodys }, { taskId: task.mine });
    const claim = () => service.client.ask('POST', `/api/v1/agents/${agentId}/claims`, { key: key.agent, json: {} });
    expect((await claim()).body['taskId']).toBe(task.mine);
    expect(service.wanted.last?.repositories).toEqual(['sample']);
    expect((await claim()).body['taskId']).toBeUndefined();
  });

  test('is not told what another key of its agent claimed under the same Idempotency-Key', async () => {
    const { key: unlimited } = await service.key('agent', agentId);
    const claim = (secret: string) =>
      service.client.ask('POST', `/api/v1/agents/${agentId}/claims`, {
        ...{ key: secret, json: {} },
        headers: { 'Idempotency-Key': 'next' },
      });
    expect((await claim(unlimited)).body['taskId']).toBe(task.theirs);
    const told = await claim(key.agent);
    expect([told.status, told.body['taskId']]).toEqual([200, undefined]);
    expect((await claim(unlimited)).body['taskId']).toBe(task.theirs);
  });
});

describe('creating a key', () => {
  const admin = async (json: object) => {
    const { key: secret } = await service.key('admin');
    return service.client.ask('POST', '/api/v1/keys', { key: secret, json });
  };
  const inYears = (years: number) => new Date(Date.now() + years * 365 * 86_400_000).toISOString();

  test('with an end and repositories', async () => {
    const json = { name: 'x', role: 'viewer', repositories: ['sample'], expiresAt: inYears(1) };
    expect((await admin(json)).status).toBe(201);
  });

  test.each([
    ['that is over', { expiresAt: inYears(-0.001) }, 422, 'out-of-range'],
    ['that is too far away', { expiresAt: inYears(11) }, 422, 'out-of-range'],
    ['that is no time', { expiresAt: 'tomorrow' }, 400, 'invalid-request'],
    ['of a repository that is not registered', { repositories: ['nowhere'] }, 422, 'unknown-repository'],
    ['of no repository at all', { repositories: [] }, 400, 'invalid-request'],
    ['of repositories for an administrator', { role: 'admin', repositories: ['sample'] }, 422, 'out-of-range'],
  ])('with an end or repositories %s: refused', async (_, wish, status, code) => {
    const answer = await admin({ name: 'x', role: 'viewer', ...wish });
    expect([answer.status, problemCode(answer)]).toEqual([status, code]);
  });

  test('again under the same Idempotency-Key, but for other repositories: refused', async () => {
    const { key: secret } = await service.key('admin');
    const ask = (repositories: string[]) =>
      service.client.ask('POST', '/api/v1/keys', {
        key: secret,
        json: { name: 'x', role: 'viewer', repositories },
        headers: { 'Idempotency-Key': 'k' },
      });
    expect([(await ask(['sample'])).status, (await ask(['sample'])).status, (await ask(['other'])).status]).toEqual([
      201, 201, 422,
    ]);
  });
});
