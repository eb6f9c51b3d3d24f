import { newId } from '@workledger/shared/contexts/stream.ts';
import { problemCode } from '@workledger/infra/testing/servers/application.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventsOf, typesOf } from '../processes/testing.ts';
import { startService, type Service } from './testing/service.ts';

let service: Service;
let operator: string;
beforeAll(async () => {
  service = await startService();
  operator = (await service.key('operator')).key;
});
afterAll(() => service.close());

const ask = (method: string, path: string, json: unknown = {}, headers: Record<string, string> = {}, key = operator) =>
  service.client.ask(method, `/api/v1${path}`, { key, json, headers });
const create = async (json: object = {}): Promise<string> =>
  String((await ask('POST', '/tasks', { title: 'Make it fast', ...json })).body['id']);
const register = async (json: object = {}): Promise<string> =>
  String((await ask('POST', '/agents', { name: 'Ada', capabilities: ['code'], ...json })).body['id']);

describe('creating', () => {
  test('answers where it is, its revision, and the token that queries wait for', async () => {
    const told = await ask('POST', '/tasks', { title: 'Make it fast' });
    const id = String(told.body['id']);
    expect([told.status, told.body]).toEqual([201, { id, revision: 0 }]);
    expect(Object.fromEntries(told.headers)).toMatchObject({
      location: `/api/v1/tasks/${id}`,
      etag: '"0"',
      'consistency-token': `task-${id}@0`,
    });
  });

  test('takes the longest description, also where each character is written as an escape', async () => {
    const description = '火'.repeat(65_536);
    const escaped = `"description":"${String.raw`\u706b`.repeat(65_536)}"`;
    const send = (method: string, path: string, text: string) =>
      service.client.ask(method, `/api/v1${path}`, { key: operator, text });
    const told = await send('POST', '/tasks', `{"title":"x",${escaped}}`);
    const id = String(told.body['id']);
    expect((await eventsOf(service.log, `task-${id}`))[0]?.data).toMatchObject({ description });
    expect((await send('PATCH', `/tasks/${id}`, `{${escaped}}`)).status).toBe(200);
    const subtasks = `{"subtasks":[{"title":"a part",${escaped}}]}`;
    expect((await send('POST', `/tasks/${id}/expand`, subtasks)).status).toBe(200);
  });

  test('records who asked, in which conversation and trace', async () => {
    const trace = 'c'.repeat(32);
    const told = await ask(
      'POST',
      '/tasks',
      { title: 'x' },
      { 'X-Correlation-Id': 'talk-7', traceparent: `00-${trace}-${'d'.repeat(16)}-01` },
    );
    const [event] = await eventsOf(service.log, `task-${String(told.body['id'])}`);
    expect(event?.metadata).toMatchObject({
      correlationId: 'talk-7',
      actor: expect.stringMatching(/^key:[0-9a-f-]{36}$/),
      traceparent: expect.stringContaining(trace),
    });
  });

  test('twice under one Idempotency-Key makes one task and answers the same', async () => {
    const headers = { 'Idempotency-Key': 'once' };
    const first = await ask('POST', '/tasks', { title: 'once' }, headers);
    const second = await ask('POST', '/tasks', { title: 'once' }, headers);
    expect([second.status, second.body]).toEqual([first.status, first.body]);
    expect(second.headers.get('consistency-token')).toBe(first.headers.get('consistency-token'));
    expect(await typesOf(service.log, `task-${String(first.body['id'])}`)).toEqual(['TaskCreated']);
  });

  test('the Idempotency-Key of another caller is another key', async () => {
    const headers = { 'Idempotency-Key': 'shared' };
    const other = (await service.key('operator')).key;
    const mine = await ask('POST', '/tasks', { title: 'mine' }, headers);
    const theirs = await ask('POST', '/tasks', { title: 'theirs' }, headers, other);
    expect(theirs.status).toBe(201);
    expect(theirs.body['id']).not.toBe(mine.body['id']);
  });
});

describe('changing', () => {
  test('PATCH and PUT change what they name, under the revision that If-Match names', async () => {
    const id = await create();
    const patched = await ask('PATCH', `/tasks/${id}`, { priority: 1 }, { 'If-Match': '"0"' });
    const put = await ask('PUT', `/tasks/${id.toUpperCase()}`, { labels: ['now'] }, { 'If-Match': 'W/"1"' });
    expect([patched.status, patched.headers.get('etag'), put.status, put.body['revision']]).toEqual([
      200,
      '"1"',
      200,
      2,
    ]);
    expect(await typesOf(service.log, `task-${id}`)).toEqual([
      'TaskCreated',
      'TaskDetailsChanged',
      'TaskDetailsChanged',
    ]);
  });

  test('DELETE cancels, and retry starts again', async () => {
    const id = await create();
    expect((await ask('DELETE', `/tasks/${id}`)).status).toBe(200);
    expect((await ask('POST', `/tasks/${id}/retry`)).status).toBe(200);
    expect((await ask('POST', `/tasks/${id}/cancel`, { reason: 'no longer wanted' })).body).toMatchObject({
      revision: 3,
    });
    expect(await typesOf(service.log, `task-${id}`)).toEqual([
      'TaskCreated',
      'TaskCancelled',
      'TaskRetried',
      'TaskCancelled',
    ]);
  });

  test('dependencies come and go, subtasks are expanded', async () => {
    const [first, second] = [await create(), await create()];
    expect((await ask('POST', `/tasks/${second}/dependencies`, { dependsOn: first })).status).toBe(200);
    const cycle = await ask('POST', `/tasks/${first}/dependencies`, { dependsOn: second });
    expect([cycle.status, problemCode(cycle), cycle.body['facts']]).toEqual([
      409,
      'dependency-cycle',
      { cycle: expect.arrayContaining([first, second]) },
    ]);
    expect(
      (await service.client.ask('DELETE', `/api/v1/tasks/${second}/dependencies/${first}`, { key: operator })).status,
    ).toBe(200);
    expect((await ask('POST', `/tasks/${first}/expand`, { subtasks: [{ title: 'part' }] })).status).toBe(200);
  });
});

describe("an agent's work", () => {
  test('claim, renew, report and submit under its own key', async () => {
    const agentId = await register();
    const { key } = await service.key('agent', agentId);
    const taskId = await create({ capabilities: ['code'] });
    const claimed = await ask('POST', `/tasks/${taskId}/claim`, { agentId }, {}, key);
    expect(claimed.body).toMatchObject({ id: taskId, taskId, claimId: expect.any(String), leaseSeconds: 60 });
    const { claimId } = claimed.body;
    for (const [intention, json] of [
      ['renew', {}],
      ['progress', { note: 'half way', percent: 50 }],
      ['submit', { commit: 'a'.repeat(40) }],
    ] as const)
      expect((await ask('POST', `/tasks/${taskId}/${intention}`, { claimId, ...json }, {}, key)).status).toBe(200);
    const events = await eventsOf(service.log, `task-${taskId}`);
    expect(events.map(({ type, metadata }) => [type, metadata.actor])).toEqual([
      ['TaskCreated', expect.stringMatching(/^key:/)],
      ['TaskClaimed', `agent:${agentId}`],
      ['TaskProgressReported', `agent:${agentId}`],
      ['TaskWorkSubmitted', `agent:${agentId}`],
    ]);
  });

  test('claiming the next task answers it, and nothing when there is none', async () => {
    const agentId = await register({ capacity: 5 });
    const taskId = await create();
    service.hints.splice(0, Infinity, { taskId });
    const claimed = await ask('POST', `/agents/${agentId}/claims`);
    expect(claimed.body).toMatchObject({ id: agentId, taskId, claimId: expect.any(String) });
    const none = await ask('POST', `/agents/${agentId}/claims`);
    expect([none.status, Object.keys(none.body)]).toEqual([200, ['id', 'revision']]);
  });

  test('beats, reports an error and clears it; an operator takes it out of service and back', async () => {
    const agentId = await register();
    const { key } = await service.key('agent', agentId);
    for (const [intention, json] of [
      ['beat', {}],
      ['error', { message: 'no disk' }],
      ['clear-error', {}],
    ] as const)
      expect((await ask('POST', `/agents/${agentId}/${intention}`, json, {}, key)).status).toBe(200);
    for (const intention of ['deactivate', 'activate'])
      expect((await ask('POST', `/agents/${agentId}/${intention}`)).status).toBe(200);
    expect((await ask('PATCH', `/agents/${agentId}`, { capacity: 3 })).status).toBe(200);
    expect((await ask('DELETE', `/agents/${agentId}`)).status).toBe(200);
    expect(await typesOf(service.log, `agent-${agentId}`)).toEqual([
      'AgentRegistered',
      'AgentErrorReported',
      'AgentErrorCleared',
      'AgentDeactivated',
      'AgentActivated',
      'AgentChanged',
      'AgentDeregistered',
    ]);
  });
});

describe('a batch', () => {
  test('carries out each command by itself, in order, and answers each', async () => {
    const id = await create();
    const told = await ask('POST', '/commands', {
      commands: [
        { type: 'task.create', data: { title: 'one' } },
        { type: 'task.change', target: id, data: { priority: 1 } },
        { type: 'task.change', target: newId(), data: { priority: 1 } },
        { type: 'task.change', target: id, data: { priority: 9 } },
        { type: 'key.revoke', target: newId() },
        { type: 'task.change', target: id, data: { priority: 2 }, expectedRevision: 1 },
      ],
    });
    const results = told.body['results'] as { status: number; problem?: { type: string } }[];
    expect(results.map(({ status, problem }) => [status, problem?.type.split('/').at(-1)])).toEqual([
      [201, undefined],
      [200, undefined],
      [404, 'not-found'],
      [400, 'invalid-request'],
      [403, 'forbidden'],
      [200, undefined],
    ]);
    expect(told.headers.get('consistency-token')).toMatch(new RegExp(`^task-[0-9a-f-]{36}@0,task-${id}@2$`));
  });

  test('sent twice under one Idempotency-Key takes effect once and answers the same', async () => {
    const commands = [
      { type: 'task.create', data: { title: 'one' } },
      { type: 'task.create', data: { title: 'one' } },
    ];
    const first = await ask('POST', '/commands', { commands }, { 'Idempotency-Key': 'batch' });
    const head = await service.log.head();
    const second = await ask('POST', '/commands', { commands }, { 'Idempotency-Key': 'batch' });
    expect(second.body).toEqual(first.body);
    expect(await service.log.head()).toBe(head);
    const [one, other] = first.body['results'] as { id: string }[];
    expect(one?.id).not.toBe(other?.id);
  });
});
