import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { until } from '../testing/processes/until.ts';
import {
  createShellRepository,
  scriptAgent,
  shellRegistration,
  writeRightGreet,
} from '../testing/repository/shell-repository.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';

type Issue = {
  readonly id: string;
  readonly state: string;
  readonly assignee: string | null;
  readonly assignment: string;
  readonly unassignedReason: string | null;
  readonly offeredTo: string | null;
  readonly taskId: string | null;
  readonly reason: string | null;
};

let folder: SystemFolder;
let system: RunningSystem;
beforeAll(async () => {
  folder = await systemFolder();
  createShellRepository(join(folder.path, 'greeter'));
  const registration = { ...shellRegistration, url: join(folder.path, 'greeter') };
  system = await startInFolder(folder.path, {
    repositories: [registration, { ...registration, name: 'other' }],
    agents: [scriptAgent('shell', writeRightGreet)],
  });
}, 60_000);
afterAll(() => folder.remove());

const post = (path: string, body: object = {}, key?: string) =>
  system.client.expect2xx('POST', path, { body, ...(key !== undefined && { key }) });
const issueWhen = (id: string, wanted: (issue: Issue) => boolean): Promise<Issue> =>
  until(
    `issue ${id}`,
    async () => {
      const issue = await system.client.find<Issue>(`/issues/${id}`);
      return issue !== null && wanted(issue) && issue;
    },
    60,
  );
const report = async (more: object = {}) => (await post('/issues', { title: 'Search is slow', ...more })).id;

/** An agent that works elsewhere, seen by the read models, with its key. */
async function agent(name: string, capability: string): Promise<{ id: string; key: string; name: string }> {
  const { id, token } = await post('/agents', { name, capabilities: [capability] });
  await system.client.expect2xx('GET', `/agents/${id}`, { token });
  const { body } = await post('/keys', { name, role: 'agent', agentId: id });
  return { id, key: String(body['key']), name: `agent:${id}` };
}

test('an issue is declined by one agent, taken by the next, started, resolved, closed and reopened', async () => {
  const [ann, bob] = [await agent('ann', 'finding'), await agent('bob', 'finding')];
  const reported = await post('/issues', { title: 'Search is slow', capabilities: ['finding'] }, ann.key);
  const { id } = reported;
  await post(`/issues/${id}/assign`);
  await issueWhen(id, ({ offeredTo }) => offeredTo === ann.name);
  const { body } = await system.client.expect2xx('GET', `/issues?offeredTo=${ann.name}`, { key: ann.key });
  expect(body['items']).toMatchObject([{ id, reporter: ann.name, assignment: 'asking', comments: 0 }]);

  expect((await system.client.send('POST', `/issues/${id}/accept`, { key: bob.key, body: {} })).status).toBe(403);
  await post(`/issues/${id}/decline`, { reason: 'no time' }, ann.key);
  await issueWhen(id, ({ offeredTo }) => offeredTo === bob.name);
  const { token } = await post(`/issues/${id}/accept`, {}, bob.key);
  expect((await system.client.expect2xx('GET', `/issues/${id}`, { token })).body).toMatchObject({
    ...{ assignee: bob.name, assignment: 'assigned', offeredTo: null, state: 'open' },
  });
  expect((await system.client.send('POST', `/issues/${id}/start`, { key: ann.key, body: {} })).status).toBe(403);
  await post(`/issues/${id}/start`, {}, bob.key);
  await post(`/issues/${id}/resolve`, { resolution: 'there was no index' }, bob.key);
  await post(`/issues/${id}/close`);
  const reopened = await post(`/issues/${id}/reopen`, { reason: 'slow again' });
  expect((await system.client.expect2xx('GET', `/issues/${id}`, { token: reopened.token })).body).toMatchObject({
    ...{ state: 'open', assignee: bob.name, reason: 'slow again', resolvedAt: null },
  });
});

test('comments are edited by their author, deleted by an operator, and counted', async () => {
  const cid = await agent('cid', 'words');
  const issueId = await report();
  const written = await post('/comments', { issueId, body: 'seen, too' }, cid.key);
  const edit = (body: string, key: string) =>
    system.client.send('PATCH', `/comments/${written.id}`, { body: { body }, key });
  expect((await edit('mine now', system.key)).status).toBe(403);
  expect((await edit('not seen', cid.key)).status).toBe(200);
  const { token } = await post('/comments', { issueId, body: 'thanks' });
  const read = async (path: string, token: string) => (await system.client.expect2xx('GET', path, { token })).body;
  expect(await read(`/comments?issueId=${issueId}`, token)).toMatchObject({
    items: [{ author: cid.name }, { body: 'thanks' }],
  });
  const deleted = await system.client.expect2xx('DELETE', `/comments/${written.id}`, { body: {} });
  expect(await read(`/issues/${issueId}`, deleted.token)).toMatchObject({ comments: 1 });
  expect((await system.client.send('GET', `/comments/${written.id}`)).status).toBe(404);
});

test('silence is passed by, and an issue that nobody takes says so and is found', async () => {
  const [dan, eve] = [await agent('dan', 'silence'), await agent('eve', 'silence')];
  const id = await report({ capabilities: ['silence'] });
  await post(`/issues/${id}/assign`, { byCapability: true, acceptWithinSeconds: 1 });
  const left = await issueWhen(id, ({ assignment }) => assignment === 'unassigned');
  expect(left).toMatchObject({ state: 'open', unassignedReason: 'nobody accepted', offeredTo: null });
  const asked = (await system.client.stream(`issue-${id}`)).flatMap(({ type, data }) =>
    type === 'IssueOffered' ? [(data as { agentId: string }).agentId] : [],
  );
  expect(asked).toEqual([dan.id, eve.id]);
  const { body } = await system.client.expect2xx('GET', '/issues?assignment=unassigned&state=open');
  expect((body['items'] as Issue[]).map((issue) => issue.id)).toContain(id);

  const nobodys = await report({ capabilities: ['flying'] });
  await post(`/issues/${nobodys}/assign`);
  expect(await issueWhen(nobodys, ({ assignment }) => assignment === 'unassigned')).toMatchObject({
    unassignedReason: 'no agent that is there has its capabilities',
  });
});

test('an offer ends with the issue, and with its agent, whose other issues are nobody’s again', async () => {
  const [fay, gus] = [await agent('fay', 'leaving'), await agent('gus', 'leaving')];
  const leaving = () => report({ capabilities: ['leaving'] });
  const ids = { closed: await leaving(), offered: await leaving(), assigned: await leaving() };
  await post(`/issues/${ids.assigned}/assign`, { assignee: gus.name });
  for (const id of [ids.closed, ids.offered]) await post(`/issues/${id}/assign`);
  await issueWhen(ids.closed, ({ offeredTo }) => offeredTo === fay.name);
  await post(`/issues/${ids.closed}/close`);
  expect((await system.client.send('POST', `/issues/${ids.closed}/accept`, { key: fay.key, body: {} })).status).toBe(
    409,
  );
  await issueWhen(ids.offered, ({ offeredTo }) => offeredTo === fay.name);
  await post(`/issues/${ids.offered}/decline`, {}, fay.key);
  await issueWhen(ids.offered, ({ offeredTo }) => offeredTo === gus.name);
  await system.client.expect2xx('DELETE', `/agents/${gus.id}`, { body: {} });
  expect(await issueWhen(ids.offered, ({ assignment }) => assignment === 'unassigned')).toMatchObject({
    unassignedReason: 'nobody accepted',
  });
  expect(await issueWhen(ids.assigned, ({ assignment }) => assignment === 'unassigned')).toMatchObject({
    ...{ assignee: null, unassignedReason: 'its agent was deregistered' },
  });
});

test('an issue that is turned into a task follows it to its end, or is open again', async () => {
  const id = await report({ repository: 'greeter', capabilities: ['shell'], priority: 'critical' });
  const { body } = await post(`/issues/${id}/task`);
  await issueWhen(id, ({ state }) => state === 'resolved');
  expect(await system.client.find(`/tasks/${String(body['taskId'])}`)).toMatchObject({
    ...{ state: 'complete', title: 'Search is slow', priority: 1, sourceReference: `issue/${id}` },
  });
  const types = (await system.client.stream(`issue-${id}`)).map(({ type }) => type);
  expect(types).toEqual(['IssueReported', 'IssueTurnedIntoTask', 'IssueStarted', 'IssueResolved']);

  const stuck = await report({ repository: 'greeter', capabilities: ['flying'] });
  const taskId = String((await post(`/issues/${stuck}/task`)).body['taskId']);
  await until('the task', () => system.client.find(`/tasks/${taskId}`));
  expect((await system.client.send('POST', `/issues/${stuck}/task`, { body: {} })).status).toBe(409);
  await post(`/tasks/${taskId}/cancel`, { reason: 'too far' });
  await issueWhen(stuck, ({ reason }) => reason === `task ${taskId} was cancelled: too far`);
  expect((await post(`/issues/${stuck}/task`)).body['taskId']).not.toBe(taskId);
}, 120_000);

test('a key that is limited to a repository sees and changes its issues, and no others', async () => {
  const mine = await report({ repository: 'greeter' });
  const theirs = await report({ repository: 'other' });
  const nobodys = await report();
  const { body } = await post('/keys', { name: 'limited', role: 'operator', repositories: ['greeter'] });
  const key = String(body['key']);
  const told = async (method: string, path: string, json?: object) =>
    (await system.client.send(method, path, { key, ...(json && { body: json }) })).status;
  expect(await told('POST', `/issues/${mine}/close`, {})).toBe(200);
  expect(await told('POST', '/comments', { issueId: mine, body: 'x' })).toBe(201);
  expect(await told('POST', '/issues', { title: 'x', repository: 'other' })).toBe(422);
  for (const id of [theirs, nobodys]) {
    const { id: comment } = await post('/comments', { issueId: id, body: 'x' });
    expect(await told('GET', `/issues/${id}`)).toBe(404);
    expect(await told('GET', `/comments/${comment}`)).toBe(404);
    expect(await told('POST', `/issues/${id}/close`, {})).toBe(404);
    expect(await told('DELETE', `/comments/${comment}`, {})).toBe(404);
    expect(await told('POST', '/comments', { issueId: id, body: 'x' })).toBe(422);
  }
  const listed = async (path: string) =>
    ((await system.client.send('GET', path, { key })).body['items'] as { repository: string }[]).map(
      ({ repository }) => repository,
    );
  expect(new Set(await listed('/issues'))).toEqual(new Set(['greeter']));
  expect(new Set(await listed('/comments'))).toEqual(new Set(['greeter']));
});

test('lists are filtered, and sorted by urgency', async () => {
  for (const priority of ['low', 'critical', 'high', 'medium']) await report({ priority, labels: ['sorted'] });
  const { token } = await post('/issues', { title: 'another', labels: ['other'] });
  const read = async (query: string) =>
    (await system.client.expect2xx('GET', `/issues?${query}`, { token })).body as {
      readonly items: readonly { readonly priority: string }[];
      readonly next: string | null;
    };
  const first = await read('label=sorted&sort=priority&limit=3');
  expect(first.items.map(({ priority }) => priority)).toEqual(['critical', 'high', 'medium']);
  const rest = await read(`label=sorted&sort=priority&limit=3&cursor=${first.next}`);
  expect([rest.items.map(({ priority }) => priority), rest.next]).toEqual([['low'], null]);
  expect((await read('label=sorted&priority=low,high')).items).toHaveLength(2);
});

test('the guide to issues does what it says, by its own lines', async () => {
  const environment = { WORKLEDGER: system.url, KEY: system.key, REPOSITORY: 'greeter' };
  const { code, output } = await runGuide('issues.md', { cwd: folder.path, environment });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('was cancelled') });
}, 60_000);
