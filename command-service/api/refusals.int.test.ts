import { newId } from '@workledger/shared/contexts/stream.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNothing, startService, type Service } from './testing/service.ts';

let service: Service;
let operator: string;
let admin: string;
let taskId: string;
beforeAll(async () => {
  service = await startService();
  operator = (await service.key('operator')).key;
  admin = (await service.key('admin')).key;
  taskId = await make('/tasks', { title: 'x' });
});
afterAll(() => service.close());

const make = async (path: string, json: object): Promise<string> =>
  String((await service.client.ask('POST', `/api/v1${path}`, { key: operator, json })).body['id']);
type Given = { key?: string; json?: unknown; text?: string | Uint8Array; headers?: Record<string, string> };
const refused = (method: string, path: string, given: Given, status: number, code: string) =>
  expectNothing(service, () => service.client.ask(method, `/api/v1${path}`, given), status, code);

describe('bad input changes nothing', () => {
  const title = 'x';
  const cases: [string, string, () => string, Given, number, string][] = [
    ['an unknown field', 'POST', () => '/tasks', { json: { title, titel: 'y' } }, 400, 'invalid-request'],
    ['a missing field', 'POST', () => '/tasks', { json: {} }, 400, 'invalid-request'],
    ['a wrong type', 'POST', () => '/tasks', { json: { title, priority: 'high' } }, 400, 'invalid-request'],
    ['a number out of range', 'POST', () => '/tasks', { json: { title, priority: 6 } }, 400, 'invalid-request'],
    ['an overlong text', 'POST', () => '/tasks', { json: { title: 'x'.repeat(301) } }, 400, 'invalid-request'],
    [
      'too many labels',
      'POST',
      () => '/tasks',
      { json: { title, labels: Array(51).fill('l') } },
      400,
      'invalid-request',
    ],
    ['U+0000 in a text', 'POST', () => '/tasks', { json: { title: 'a\u0000b' } }, 400, 'invalid-request'],
    [
      'U+0000 in a name',
      'POST',
      () => '/tasks',
      { json: { title, metadata: { 'a\u0000': 'b' } } },
      400,
      'invalid-request',
    ],
    ['half a surrogate pair', 'POST', () => '/tasks', { text: '{"title":"\\ud800"}' }, 400, 'invalid-request'],
    [
      'U+0000 in a nested source',
      'POST',
      () => '/tasks',
      { json: { title, source: { kind: 'api', reference: '\u0000', url: null } } },
      400,
      'invalid-command',
    ],
    ['no JSON', 'POST', () => '/tasks', { text: '{"title":' }, 400, 'invalid-json'],
    ['no object', 'PATCH', () => `/tasks/${taskId}`, { json: [] }, 400, 'invalid-request'],
    [
      'an oversize body',
      'POST',
      () => '/tasks',
      { json: { title, description: 'x'.repeat(600_000) } },
      413,
      'too-large',
    ],
    [
      'another media type',
      'POST',
      () => '/tasks',
      { text: 'title=x', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } },
      415,
      'unsupported-media-type',
    ],
    ['an unknown id', 'PATCH', () => `/tasks/${newId()}`, { json: { priority: 1 } }, 404, 'not-found'],
    ['an id that is none', 'PATCH', () => '/tasks/12', { json: { priority: 1 } }, 400, 'invalid-request'],
    [
      'an unknown repository',
      'POST',
      () => '/tasks',
      { json: { title, repository: 'nowhere' } },
      422,
      'unknown-repository',
    ],
    [
      'an unknown dependency',
      'POST',
      () => '/tasks',
      { json: { title, dependencies: [newId()] } },
      422,
      'unknown-reference',
    ],
    ['an illegal transition', 'POST', () => `/tasks/${taskId}/retry`, { json: {} }, 409, 'illegal-transition'],
    [
      'an unknown agent',
      'POST',
      () => `/tasks/${taskId}/claim`,
      { json: { agentId: newId() } },
      422,
      'unknown-reference',
    ],
    [
      'a stale If-Match',
      'PATCH',
      () => `/tasks/${taskId}`,
      { json: { priority: 1 }, headers: { 'If-Match': '"7"' } },
      412,
      'revision-mismatch',
    ],
    [
      'an If-Match that is none',
      'PATCH',
      () => `/tasks/${taskId}`,
      { json: { priority: 1 }, headers: { 'If-Match': '3' } },
      400,
      'invalid-request',
    ],
    [
      'an Idempotency-Key that is none',
      'POST',
      () => '/tasks',
      { json: { title }, headers: { 'Idempotency-Key': 'a b' } },
      400,
      'invalid-request',
    ],
    ['a batch of none', 'POST', () => '/commands', { json: { commands: [] } }, 400, 'invalid-request'],
    [
      'a batch of too many',
      'POST',
      () => '/commands',
      { json: { commands: Array(101).fill({ type: 'task.create', data: { title } }) } },
      400,
      'invalid-request',
    ],
    [
      'a batch with an unknown command',
      'POST',
      () => '/commands',
      { json: { commands: [{ type: 'task.explode', target: newId() }] } },
      400,
      'invalid-request',
    ],
    [
      'a batch with a command that only sagas send',
      'POST',
      () => '/commands',
      { json: { commands: [{ type: 'task.complete', target: newId() }] } },
      400,
      'invalid-request',
    ],
    [
      'a batch that makes a key',
      'POST',
      () => '/commands',
      { json: { commands: [{ type: 'key.create' }] } },
      400,
      'invalid-request',
    ],
  ];
  test.each(cases)('%s', async (_, method, path, given, status, code) => {
    await refused(method, path(), { key: operator, ...given }, status, code);
  });

  test('a dependency on itself', async () => {
    const given = { key: operator, json: { dependsOn: taskId } };
    await refused('POST', `/tasks/${taskId}/dependencies`, given, 409, 'dependency-cycle');
  });

  test('an Idempotency-Key that was used for another body', async () => {
    const headers = { 'Idempotency-Key': 'reused' };
    await service.client.ask('POST', '/api/v1/tasks', { key: operator, json: { title: 'one' }, headers });
    await refused('POST', '/tasks', { key: operator, json: { title: 'two' }, headers }, 422, 'idempotency-key-reused');
  });

  test('the current revision is told with a stale one', async () => {
    const given = { key: operator, json: { priority: 1 }, headers: { 'If-Match': '"9"' } };
    const told = await refused('PATCH', `/tasks/${taskId}`, given, 412, 'revision-mismatch');
    expect(told.body['facts']).toMatchObject({ current: 0 });
  });
});

describe('nobody does what the role does not allow', () => {
  test.each(['viewer', 'auditor'] as const)('a %s changes nothing', async (role) => {
    const { key } = await service.key(role);
    await refused('POST', '/tasks', { key, json: { title: 'x' } }, 403, 'forbidden');
    await refused(
      'POST',
      '/commands',
      { key, json: { commands: [{ type: 'task.create', data: { title: 'x' } }] } },
      403,
      'forbidden',
    );
    await refused('POST', '/agents', { key, json: { name: 'x' } }, 403, 'forbidden');
  });

  test('only an admin makes and revokes keys', async () => {
    const { id } = await service.key('viewer');
    for (const role of ['viewer', 'agent', 'operator', 'auditor'] as const) {
      const { key } = await service.key(role, role === 'agent' ? newId() : undefined);
      await refused('POST', '/keys', { key, json: { name: 'x', role: 'admin' } }, 403, 'forbidden');
      await refused('DELETE', `/keys/${id}`, { key, json: {} }, 403, 'forbidden');
    }
  });

  test("an agent's key commands no other agent, makes no task and takes no part in another's claim", async () => {
    const mine = await make('/agents', { name: 'mine' });
    const other = await make('/agents', { name: 'other' });
    const { key } = await service.key('agent', mine);
    await refused('POST', '/tasks', { key, json: { title: 'x' } }, 403, 'forbidden');
    await refused('POST', `/agents/${other}/beat`, { key, json: {} }, 403, 'forbidden');
    await refused('POST', `/agents/${other}/claims`, { key, json: {} }, 403, 'forbidden');
    await refused('POST', `/agents/${mine}/activate`, { key, json: {} }, 403, 'forbidden');
    await refused('POST', `/tasks/${taskId}/claim`, { key, json: { agentId: other } }, 403, 'forbidden');

    const theirs = await make('/tasks', { title: 'theirs' });
    const claimed = await service.client.ask('POST', `/api/v1/tasks/${theirs}/claim`, {
      key: operator,
      json: { agentId: other },
    });
    const { claimId } = claimed.body;
    for (const [intention, json] of [
      ['renew', {}],
      ['progress', { note: 'x' }],
      ['submit', { commit: null }],
      ['release', { reason: 'mine now' }],
    ] as const)
      await refused('POST', `/tasks/${theirs}/${intention}`, { key, json: { claimId, ...json } }, 403, 'forbidden');
  });

  test('without a valid key nothing is said but that one is needed', async () => {
    const { key } = await service.key('operator');
    const wrong = `${key.slice(0, -2)}${key.endsWith('AA') ? 'BB' : 'AA'}`;
    const unknown = key.replace(/_[0-9a-f]{32}_/, `_${newId().replaceAll('-', '')}_`);
    const basic = { headers: { Authorization: `Basic ${key}` } };
    for (const given of [{}, { key: 'x' }, { key: wrong }, { key: unknown }, basic]) {
      const told = await refused('POST', '/tasks', { json: { title: 'x' }, ...given }, 401, 'unauthenticated');
      expect(told.headers.get('www-authenticate')).toMatch(/^Bearer /);
    }
    expect(service.logged()).not.toContain(key.slice(40));
  });

  test('an admin does not send what only sagas decide', async () => {
    const command = { type: 'task.complete', target: taskId, data: {} };
    await refused('POST', '/commands', { key: admin, json: { commands: [command] } }, 400, 'invalid-request');
  });
});
