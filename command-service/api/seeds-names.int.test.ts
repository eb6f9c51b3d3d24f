import { newId } from '@workledger/shared/contexts/stream.ts';
import { problemCode, type Told } from '@workledger/infra/testing/servers/application.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create, register, typesOf } from '../processes/testing.ts';
import { startService, type Service } from './testing/service.ts';

// What other systems call by other names: a status that is set, and things that are deleted.

let service: Service;
let operator: string;
beforeAll(async () => {
  service = await startService();
  operator = (await service.key('operator')).key;
});
afterAll(() => service.close());

const ask = (method: string, path: string, json?: object, headers: Record<string, string> = {}): Promise<Told> =>
  service.client.ask(method, `/api/v1${path}`, { key: operator, headers, ...(json && { json }) });
const put = (id: string, json: object, headers: Record<string, string> = {}) =>
  ask('PUT', `/tasks/${id}`, json, headers);
const types = (id: string) => typesOf(service.log, `task-${id}`);

describe('PUT /tasks/{id} with a status', () => {
  it('goes the way of a task: claimed, submitted, and validation decides', async () => {
    const [id, agentId] = [await create(service, { repository: 'sample' }), await register(service)];
    const claimed = await put(id, { status: 'in-progress', agentId });
    expect(claimed).toMatchObject({ status: 200, body: { status: 'in-progress', claimId: expect.any(String) } });
    const submitted = await put(id, { status: 'completed', commit: 'a'.repeat(40), summary: 'done' });
    expect(submitted).toMatchObject({ status: 200, body: { status: 'validation' } });
    expect(await types(id)).toEqual(['TaskCreated', 'TaskClaimed', 'TaskWorkSubmitted']);
    expect(await put(id, { status: 'complete' })).toMatchObject({ status: 200, body: { status: 'validation' } });
    expect(await types(id)).toHaveLength(3);
  });

  it('cancels and retries, and changes details beside', async () => {
    const id = await create(service, { repository: 'sample' });
    const cancelled = await put(id, { status: 'cancelled', reason: 'not needed', title: 'Not needed' });
    expect(cancelled).toMatchObject({ status: 200, body: { status: 'cancelled', revision: 2 } });
    expect(await put(id, { status: 'pending' })).toMatchObject({ status: 200, body: { status: 'pending' } });
    expect(await types(id)).toEqual(['TaskCreated', 'TaskCancelled', 'TaskDetailsChanged', 'TaskRetried']);
  });

  it('that it has already is nothing to do', async () => {
    const id = await create(service, { repository: 'sample' });
    expect(await put(id, { status: 'pending' })).toMatchObject({
      status: 200,
      body: { status: 'pending', revision: 0 },
    });
    expect(await types(id)).toEqual(['TaskCreated']);
  });

  it('again under the same key takes effect once and answers the same', async () => {
    const [id, agentId] = [await create(service, { repository: 'sample' }), await register(service)];
    const json = { status: 'in-progress', agentId, priority: 1 };
    const first = await put(id, json, { 'Idempotency-Key': 'k' });
    expect((await put(id, json, { 'Idempotency-Key': 'k' })).body).toEqual(first.body);
    expect(await types(id)).toEqual(['TaskCreated', 'TaskClaimed', 'TaskDetailsChanged']);
  });

  it('claims for the agent that it is assigned to, where nobody else is named', async () => {
    const agentId = await register(service);
    const id = await create(service, { repository: 'sample', assignee: `agent:${agentId}` });
    expect(await put(id, { status: 'in-progress' })).toMatchObject({ status: 200, body: { status: 'in-progress' } });
  });

  it.each<[string, object, number, string]>([
    ['that there is not', { status: 'done' }, 400, 'invalid-request'],
    ['that only work leads to', { status: 'failed' }, 400, 'invalid-request'],
    ['of work that nobody does', { status: 'complete', title: 'New' }, 409, 'illegal-transition'],
    ['without saying who works', { status: 'in-progress', title: 'New' }, 422, 'out-of-range'],
    ['for an agent that is not there', { status: 'in-progress', agentId: newId() }, 422, 'unknown-reference'],
  ])('%s is refused, and nothing changes', async (_, json, status, code) => {
    const id = await create(service, { repository: 'sample' });
    const told = await put(id, json);
    expect([told.status, problemCode(told)]).toEqual([status, code]);
    expect(await types(id)).toEqual(['TaskCreated']);
  });

  it('at another revision than is meant is refused, and of a task that is not there', async () => {
    const id = await create(service, { repository: 'sample' });
    expect((await put(id, { status: 'cancelled' }, { 'If-Match': '"7"' })).status).toBe(412);
    expect((await put(id, { status: 'pending' }, { 'If-Match': '"7"' })).status).toBe(412);
    expect((await put(newId(), { status: 'pending' })).status).toBe(404);
    expect(await types(id)).toEqual(['TaskCreated']);
  });
});

describe('PUT /issues/{id} with a status, an assignee, and names as others write them', () => {
  const report = async (json: object = {}) =>
    String((await ask('POST', '/issues', { title: 'x', ...json })).body['id']);
  const change = (id: string, json: object, headers: Record<string, string> = {}) =>
    ask('PUT', `/issues/${id}`, json, headers);
  const typesOfIssue = (id: string) => typesOf(service.log, `issue-${id}`);

  it('goes the way of an issue, with what belongs to it', async () => {
    const [id, agentId] = [await report({ priority: 'High' }), await register(service)];
    const begun = { status: 'InProgress', assignee: `agent:${agentId}`, priority: 'Critical' };
    expect(await change(id, begun)).toMatchObject({ status: 200, body: { status: 'in-progress', revision: 3 } });
    expect(await change(id, begun)).toMatchObject({ status: 200, body: { status: 'in-progress', revision: 3 } });
    expect(await change(id, { status: 'Resolved', resolution: 'mended' })).toMatchObject({ status: 200 });
    expect(await change(id, { status: 'Closed' })).toMatchObject({ status: 200, body: { status: 'closed' } });
    expect(await change(id, { status: 'Open' })).toMatchObject({ status: 200, body: { status: 'open' } });
    expect(await typesOfIssue(id)).toEqual([
      ...['IssueReported', 'IssueDetailsChanged', 'IssueAssigned', 'IssueStarted'],
      ...['IssueResolved', 'IssueClosed', 'IssueReopened'],
    ]);
  });

  it('again under the same key takes effect once and answers the same', async () => {
    const id = await report();
    const json = { status: 'InProgress', priority: 'low' };
    const first = await change(id, json, { 'Idempotency-Key': 'i' });
    await change(id, { status: 'Closed' });
    expect((await change(id, json, { 'Idempotency-Key': 'i' })).body).toEqual(first.body);
    expect(await typesOfIssue(id)).toHaveLength(4);
  });

  it.each<[string, object, number, string]>([
    ['a status that there is not', { status: 'Blocked' }, 400, 'invalid-request'],
    ['a priority that there is not', { priority: 'HIGH' }, 400, 'invalid-request'],
    ['a status that nothing leads to', { status: 'Resolved', title: 'y' }, 409, 'illegal-transition'],
    ['an id that nobody can have', { assignee: 'user:367e1ce0-0e5e-8bed-0560-9b7797c027ed' }, 400, 'invalid-request'],
    ['somebody who is not there', { assignee: `agent:${newId()}`, title: 'y' }, 422, 'unknown-reference'],
  ])('%s is refused, and nothing changes', async (_, json, status, code) => {
    const id = await report();
    const told = await change(id, json);
    expect([told.status, problemCode(told)]).toEqual([status, code]);
    expect((await change(id, { status: 'Closed' }, { 'If-Match': '"7"' })).status).toBe(412);
    expect(await typesOfIssue(id)).toEqual(['IssueReported']);
  });
});

describe('what is deleted stays in the log', () => {
  it('an issue is closed, an agent deregistered, a task cancelled', async () => {
    const issue = String((await ask('POST', '/issues', { title: 'x' })).body['id']);
    expect((await ask('PUT', `/issues/${issue}`, { title: 'y' })).status).toBe(200);
    expect((await ask('DELETE', `/issues/${issue}`)).status).toBe(200);
    expect((await ask('DELETE', `/issues/${issue}`)).status).toBe(200);
    expect(await typesOf(service.log, `issue-${issue}`)).toEqual([
      'IssueReported',
      'IssueDetailsChanged',
      'IssueClosed',
    ]);
    const agent = await register(service);
    expect((await ask('DELETE', `/agents/${agent}`)).status).toBe(200);
    expect((await typesOf(service.log, `agent-${agent}`)).at(-1)).toBe('AgentDeregistered');
    const task = await create(service, { repository: 'sample' });
    expect((await ask('DELETE', `/tasks/${task}`)).status).toBe(200);
    expect((await types(task)).at(-1)).toBe('TaskCancelled');
    expect((await ask('DELETE', `/issues/${newId()}`)).status).toBe(404);
  });
});
