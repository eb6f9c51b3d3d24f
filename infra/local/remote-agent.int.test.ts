import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer } from '@workledger/shared/http/server.ts';
import { createClient, type Answer, type Client } from '@workledger/shared/client/client.ts';
import { agentsFreed, createTask, finalTask, taskWhen, type Task } from '../testing/system/tasks.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/git.ts';
import { runGuide } from '../testing/system/guide.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';

let folder: SystemFolder;
let repository: string;
let system: RunningSystem;

beforeAll(async () => {
  folder = await systemFolder();
  repository = join(folder.path, 'greeter');
  createShellRepository(repository);
  system = await startInFolder(folder.path, {
    leaseSeconds: 4,
    repositories: [{ ...shellRegistration, url: repository }],
  });
}, 60_000);
afterAll(() => folder.remove());

type Agent = {
  readonly id: string;
  readonly client: Client;
  readonly key: string;
  post(path: string, body: object): Promise<Answer>;
  claim(taskId: string): Promise<Record<string, unknown>>;
};

/** Stands before the system: of every three new requests one is broken, one loses its answer, or one is answered 503; repeats go through. */
async function startFlakyFront(upstream: string) {
  const faults: Record<string, number> = {};
  const seen = new Set<string>();
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const key = String(request.headers['idempotency-key']);
    const isNew = !seen.has(key);
    seen.add(key);
    const kind = isNew ? ['lost', 'broken', 'busy'][seen.size % 3]! : 'none';
    if (isNew) faults[kind] = (faults[kind] ?? 0) + 1;
    if (kind === 'broken') return void request.socket.destroy();
    if (kind === 'busy') return void response.writeHead(503, { 'Retry-After': '0' }).end('{}');
    const body = Buffer.concat(await request.toArray());
    const { authorization = '', 'content-type': type = '' } = request.headers;
    const told = await fetch(new URL(request.url!, upstream), {
      method: request.method!,
      headers: { Authorization: authorization, 'Content-Type': type, 'Idempotency-Key': key },
      ...(body.length > 0 && { body }),
    });
    const text = await told.text();
    if (kind === 'lost') return void request.socket.destroy();
    response.writeHead(told.status, { 'Content-Type': 'application/json' }).end(text);
  };
  const server = await startServer((...exchange) => void answer(...exchange), { host: '127.0.0.1', port: 0 });
  return { url: server.url, faults: () => faults, stop: () => server.stop(0) };
}

/** Registers an agent, which has a key of its own. */
async function register(name: string): Promise<Agent> {
  const { id } = await system.client.expect2xx('POST', '/agents', { body: { name, capabilities: ['slow'] } });
  const { body } = await system.client.expect2xx('POST', '/keys', { body: { name, role: 'agent', agentId: id } });
  const client = createClient({ url: () => system.url, key: () => String(body['key']) });
  return {
    id,
    client,
    key: String(body['key']),
    post: (path, data) => client.send('POST', path, { body: data }),
    claim: async (taskId) => (await client.expect2xx('POST', `/tasks/${taskId}/claim`, { body: { agentId: id } })).body,
  };
}

const refusal = ({ status, body }: Answer): string => `${status} ${String(body['type']).split(/[/:]/).at(-1)}`;

describe('an agent over REST', { timeout: 60_000 }, () => {
  test('does its work by the lines of the guide, as they stand there', async () => {
    const id = await createTask(system.client, 'greeter', { title: 'Greet the world', capabilities: ['remote'] });
    const environment = { WORKLEDGER: system.url, ADMIN_KEY: system.key, REPOSITORY: repository };
    const done = await runGuide('remote-agent.md', { cwd: folder.path, environment });
    expect(done).toEqual({ code: 0, output: 'Greet the world\n\ncomplete\n' });

    const task = await finalTask(system.client, id);
    const submitted = git(join(folder.path, `work-${task.claimId}`), 'rev-parse', 'HEAD');
    expect(task).toMatchObject({ state: 'complete', result: { commit: submitted, branch: `workledger/${id}` } });
    expect(task.validations.map(({ state }) => state)).toEqual(['passed']);
    expect(git(repository, 'rev-parse', `workledger/${id}`)).toBe(submitted);
    expect(git(repository, 'for-each-ref', '--format=%(refname)', `refs/workledger/${id}/remote-1`)).toBe('');
  });

  test('does it by the same lines while answers are lost, connections break and 503 is answered, each thing once', async () => {
    const front = await startFlakyFront(system.url);
    const id = await createTask(system.client, 'greeter', { title: 'Greet the world', capabilities: ['remote'] });
    const environment = { WORKLEDGER: front.url, ADMIN_KEY: system.key, REPOSITORY: repository };
    const done = await runGuide('remote-agent.md', { cwd: folder.path, environment });
    await front.stop();
    expect(done).toMatchObject({ code: 0, output: expect.stringMatching(/^complete$/m) });
    expect(front.faults()).toEqual({ broken: expect.any(Number), lost: expect.any(Number), busy: expect.any(Number) });
    const types = (await finalTask(system.client, id)).history.map(({ type }) => type);
    for (const once of ['TaskClaimed', 'TaskWorkSubmitted'])
      expect(types.filter((type) => type === once)).toHaveLength(1);
  });

  test('another agent may neither claim for it, nor renew, nor submit', async () => {
    const [one, other] = [await register('one'), await register('other')];
    const id = await createTask(system.client, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const claimed = await one.claim(id);
    expect(claimed.leaseSeconds).toBe(4);
    const { claimId } = claimed;
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(refusal(await other.post(`/agents/${one.id}/claims`, {}))).toBe('403 forbidden');
    expect(refusal(await other.post(`/tasks/${id}/claim`, { agentId: one.id }))).toBe('403 forbidden');
    expect(refusal(await other.post(`/tasks/${id}/renew`, { claimId }))).toBe('403 forbidden');
    expect(refusal(await other.post(`/tasks/${id}/submit`, { claimId, commit }))).toBe('403 forbidden');
    expect(refusal(await other.post('/tasks', { title: 'Mine', repository: 'greeter' }))).toBe('403 forbidden');
    expect((await one.post(`/tasks/${id}/renew`, { claimId })).status).toBe(200);
    await system.client.expect2xx('POST', `/tasks/${id}/cancel`, { body: {} });
  });

  test('a claim that is not renewed expires; the task goes to another agent, and the late result is refused', async () => {
    const [late, next] = [await register('late'), await register('next')];
    const id = await createTask(system.client, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const { claimId } = await late.claim(id);
    for (let renewals = 0; renewals < 3; renewals++) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect((await late.post(`/tasks/${id}/renew`, { claimId })).status).toBe(200);
    }

    const expired = await taskWhen(system.client, id, ({ state }) => state === 'pending');
    expect(expired.history.at(-1)?.type).toBe('TaskClaimExpired');
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(refusal(await late.post(`/tasks/${id}/submit`, { claimId, commit }))).toBe('409 claim-mismatch');

    const again = await next.claim(id);
    expect(again.claimId).not.toBe(claimId);
    expect(refusal(await late.post(`/tasks/${id}/renew`, { claimId }))).toBe('409 claim-mismatch');
    expect(refusal(await late.post(`/tasks/${id}/submit`, { claimId, commit }))).toBe('409 claim-mismatch');
    await agentsFreed(system.client, late.id);
    expect(await system.client.find(`/agents/${next.id}`)).toMatchObject({ status: 'busy' });
  });

  test('a commit that nobody pushed is refused; one that changes nothing comes back at once, often; failed tests send it back with a report that its agent reads', async () => {
    const agent = await register('forgetful');
    const id = await createTask(system.client, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const { claimId } = await agent.claim(id);
    const sentBack = async (commit: string, times: number) => {
      const { token } = await agent.client.expect2xx('POST', `/tasks/${id}/submit`, { body: { claimId, commit } });
      const back = ({ history }: Task): boolean =>
        history.filter(({ type }) => type === 'TaskSentBack').length === times &&
        history.at(-1)?.type === 'TaskSentBack';
      return (await taskWhen(agent.client, id, back, token)).history.at(-1)?.data;
    };
    const absent = await agent.post(`/tasks/${id}/submit`, { claimId, commit: '1'.repeat(40) });
    expect([refusal(absent), absent.body['detail']]).toEqual([
      '422 unknown-reference',
      `commit ${'1'.repeat(40)} is not in the origin: push it to a branch first`,
    ]);
    expect((await system.client.find<Task>(`/tasks/${id}`))?.state).toBe('in-progress');
    for (const times of [1, 2])
      expect(await sentBack(git(repository, 'rev-parse', 'HEAD'), times)).toMatchObject({
        reason: expect.stringContaining('changes nothing'),
        report: null,
      });

    const work = join(folder.path, 'forgetful');
    git(folder.path, 'clone', '--quiet', repository, work);
    await writeFile(join(work, 'bin/greet'), '#!/bin/sh\necho wrong\n');
    git(work, '-c', 'user.name=f', '-c', 'user.email=f@example.org', 'commit', '--quiet', '--all', '-m', 'Wrong');
    git(work, 'push', '--quiet', 'origin', `+HEAD:refs/workledger/${id}/forgetful-${String(claimId)}`);
    const { report } = (await sentBack(git(work, 'rev-parse', 'HEAD'), 3)) as { report: { digest: string } };
    const read = await fetch(`${system.url}/api/v1/artefacts/${report.digest}`, {
      headers: { Authorization: `Bearer ${agent.key}` },
    });
    expect([read.status, await read.text()]).toEqual([200, expect.stringContaining('greet Ada said: wrong')]);
    await system.client.expect2xx('POST', `/tasks/${id}/cancel`, { body: {} });
  });

  test('GET of an agent tells of its last beat', async () => {
    const { id, post, client } = await register('alive');
    const beatAt = async () => {
      await post(`/agents/${id}/beat`, {});
      return (await client.find<{ lastBeatAt: string }>(`/agents/${id}`))?.lastBeatAt ?? '';
    };
    const [first, second] = [await beatAt(), await beatAt()];
    expect(Date.parse(first)).toBeGreaterThan(0);
    expect(second > first).toBe(true);
  });
});

test('keys reach no output', async () => {
  expect(system.program.written.output).not.toMatch(/wl_|Bearer/i);
  expect(system.program.written.output).not.toContain(system.key);
  expect(await system.stop()).toBe(0);
});
