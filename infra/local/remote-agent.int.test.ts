import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentsFreed, createTask, finalTask, taskWhen, type Answer, type Api } from '../testing/system/api.ts';
import { temporaryFolder, type TemporaryFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/plain-git.ts';
import { startCommand } from '../testing/processes/program.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';

type Problem = { readonly type: string };
type Claimed = { readonly taskId: string; readonly claimId: string; readonly leaseSeconds: number };

let folder: TemporaryFolder;
let repository: string;
let system: RunningSystem;

beforeAll(async () => {
  folder = await temporaryFolder();
  repository = join(folder.path, 'greeter');
  createShellRepository(repository);
  system = await startInFolder(folder.path, {
    leaseSeconds: 4,
    repositories: [{ ...shellRegistration, url: repository }],
  });
}, 60_000);
afterAll(() => folder.remove());

/** Registers an agent. @returns a client with its own key, and its id */
async function register(name: string): Promise<{ id: string; api: Api }> {
  const { id } = await system.api.command('/agents', { name, capabilities: ['slow'] });
  const { key } = await system.api.command<{ key: string }>('/keys', { name, role: 'agent', agentId: id });
  return { id, api: system.api.as(key) };
}

const refusal = ({ status, body }: Answer<Problem>): string => `${status} ${body.type.split(/[/:]/).at(-1)}`;

describe('an agent over REST', { timeout: 60_000 }, () => {
  test('does its work by the lines of the guide, as they stand there', async () => {
    const guide = await readFile(new URL('../docs/guides/remote-agent.md', import.meta.url), 'utf8');
    const lines = [...guide.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block = '']) => block);
    const id = await createTask(system.api, 'greeter', { title: 'Greet the world', capabilities: ['remote'] });
    const environment = { WORKLEDGER: system.api.url, ADMIN_KEY: system.api.key, REPOSITORY: repository };
    const script = startCommand('sh', ['-ec', lines.join('\n')], { cwd: folder.path, environment });
    expect([await script.ended, script.written.output]).toEqual([0, 'Greet the world\n\ncomplete\n']);

    const task = await finalTask(system.api, id);
    const submitted = git(join(folder.path, 'work'), 'rev-parse', 'HEAD');
    expect(task).toMatchObject({ state: 'complete', result: { commit: submitted, branch: `workledger/${id}` } });
    expect(task.validations.map(({ state }) => state)).toEqual(['passed']);
    expect(git(repository, 'rev-parse', `workledger/${id}`)).toBe(submitted);
    expect(git(repository, 'for-each-ref', '--format=%(refname)', 'refs/workledger')).toBe('');
  });

  test('another agent may neither claim for it, nor renew, nor submit', async () => {
    const [one, other] = [await register('one'), await register('other')];
    const id = await createTask(system.api, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const claimed = await one.api.command<Claimed>(`/tasks/${id}/claim`, { agentId: one.id });
    expect(claimed.leaseSeconds).toBe(4);
    const { claimId } = claimed;
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(refusal(await other.api.send('POST', `/agents/${one.id}/claims`, {}))).toBe('403 forbidden');
    expect(refusal(await other.api.send('POST', `/tasks/${id}/claim`, { agentId: one.id }))).toBe('403 forbidden');
    expect(refusal(await other.api.send('POST', `/tasks/${id}/renew`, { claimId }))).toBe('403 forbidden');
    expect(refusal(await other.api.send('POST', `/tasks/${id}/submit`, { claimId, commit }))).toBe('403 forbidden');
    expect(refusal(await other.api.send('POST', '/tasks', { title: 'Mine', repository: 'greeter' }))).toBe(
      '403 forbidden',
    );
    expect((await one.api.send('POST', `/tasks/${id}/renew`, { claimId })).status).toBe(200);
    await system.api.command(`/tasks/${id}/cancel`, {});
  });

  test('a claim that is not renewed expires; the task goes to another agent, and the late result is refused', async () => {
    const [late, next] = [await register('late'), await register('next')];
    const id = await createTask(system.api, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const { claimId } = await late.api.command<Claimed>(`/tasks/${id}/claim`, { agentId: late.id });
    for (let renewals = 0; renewals < 3; renewals++) {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect((await late.api.send('POST', `/tasks/${id}/renew`, { claimId })).status).toBe(200);
    }

    const expired = await taskWhen(system.api, id, ({ state }) => state === 'pending');
    expect(expired.history.at(-1)?.type).toBe('TaskClaimExpired');
    const commit = git(repository, 'rev-parse', 'HEAD');
    expect(refusal(await late.api.send('POST', `/tasks/${id}/submit`, { claimId, commit }))).toBe('409 claim-mismatch');

    const again = await next.api.command<Claimed>(`/tasks/${id}/claim`, { agentId: next.id });
    expect(again.claimId).not.toBe(claimId);
    expect(refusal(await late.api.send('POST', `/tasks/${id}/renew`, { claimId }))).toBe('409 claim-mismatch');
    expect(refusal(await late.api.send('POST', `/tasks/${id}/submit`, { claimId, commit }))).toBe('409 claim-mismatch');
    await agentsFreed(system.api, late.id);
    expect(await system.api.get(`/agents/${next.id}`)).toMatchObject({ status: 'busy' });
  });

  test('a commit that nobody pushed is a named failure of the task', async () => {
    const agent = await register('forgetful');
    const id = await createTask(system.api, 'greeter', { title: 'Slow work', capabilities: ['slow'] });
    const { claimId } = await agent.api.command<Claimed>(`/tasks/${id}/claim`, { agentId: agent.id });
    await agent.api.command(`/tasks/${id}/submit`, { claimId, commit: '1'.repeat(40) });
    const task = await finalTask(system.api, id);
    expect(task.failure).toMatchObject({ step: 'inspect' });
    expect(task.failure?.reason).toContain('is not in the origin: push it');
  });
});

test('keys reach no output', async () => {
  expect(system.program.written.output).not.toMatch(/wl_|Bearer/i);
  expect(system.program.written.output).not.toContain(system.api.key);
  expect(await system.stop()).toBe(0);
});
