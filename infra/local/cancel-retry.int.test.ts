import { existsSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentsFreed, createTask, finalTask } from '../testing/system/api.ts';
import { deliverIssue } from '../testing/system/deliver-issue.ts';
import { temporaryFolder, type TemporaryFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/plain-git.ts';
import { processesOf } from '../testing/processes/processes-of-folder.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import { scriptAgent, writeRightGreet } from '../testing/repository/script-agent.ts';
import { createShellRepository, shellRegistration } from '../testing/repository/shell-repository.ts';

const SECRET = 'the-hook-secret';

let folder: TemporaryFolder;
let repository: string;
let system: RunningSystem;

beforeAll(async () => {
  folder = await temporaryFolder();
  repository = join(folder.path, 'greeter');
  createShellRepository(repository);
  const started = join(folder.path, 'started');
  const mended = join(folder.path, 'mended');
  system = await startInFolder(
    folder.path,
    {
      webhooks: { github: { secrets: [{ env: 'HOOK_SECRET' }] } },
      repositories: [
        { ...shellRegistration, url: repository, github: 'acme/greeter', trusted: ['ada'], capabilities: ['slow'] },
      ],
      agents: [
        scriptAgent('slow', `sleep 2000 & echo $$ > "${started}"; sleep 2000`, { limits: { timeoutSeconds: 900 } }),
        scriptAgent('moody', `if test -e "${mended}"; then ${writeRightGreet}\nelse exit 7; fi`),
      ],
    },
    { HOOK_SECRET: SECRET },
  );
}, 60_000);
afterAll(() => folder.remove());

const sleepers = (): number => processesOf(folder.path).filter(({ command }) => command.includes('sleep 2000')).length;

/** Waits until the slow agent runs, with a child of its own. */
async function slowAgentRuns(): Promise<void> {
  const started = join(folder.path, 'started');
  while (!existsSync(started) || sleepers() < 2) await pause(50);
  await rm(started);
}

async function nothingIsLeft(): Promise<void> {
  await agentsFreed(system.api);
  for (let look = 0; look < 100 && sleepers() > 0; look++) await pause(50);
  expect(sleepers()).toBe(0);
  for (let look = 0; look < 100 && (await readdir(join(system.dataFolder, 'attempts'))).length > 0; look++)
    await pause(50);
  expect(await readdir(join(system.dataFolder, 'worktrees'))).toEqual([]);
  expect(await readdir(join(system.dataFolder, 'attempts'))).toEqual([]);
  expect(git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/trunk');
}

describe('cancelling while the agent runs', { timeout: 60_000 }, () => {
  test('kills its process group, removes its worktree and frees the agent', async () => {
    const { api } = system;
    const id = await createTask(api, 'greeter', { title: 'Never mind', capabilities: ['slow'] });
    await slowAgentRuns();
    await api.command(`/tasks/${id}/cancel`, { reason: 'not needed' });
    expect(await finalTask(api, id)).toMatchObject({ state: 'cancelled' });
    await nothingIsLeft();
  });

  test('is what a closed issue does', async () => {
    const { api } = system;
    const issue = { repository: 'acme/greeter', number: 7, title: 'Greet the world', sender: 'ada' };
    const { taskId } = await deliverIssue(api.url, SECRET, { action: 'labeled', ...issue });
    if (taskId === null) throw new Error('the delivery was ignored');
    await slowAgentRuns();
    await deliverIssue(api.url, SECRET, { action: 'closed', ...issue });
    const task = await finalTask(api, taskId);
    expect(task.state).toBe('cancelled');
    expect(task.history.find(({ type }) => type === 'TaskCancelled')?.data['reason']).toMatch(/closed/);
    await nothingIsLeft();
  });
});

describe('retrying', { timeout: 60_000 }, () => {
  test('a failed task starts it again under a fresh claim', async () => {
    const { api } = system;
    const id = await createTask(api, 'greeter', { title: 'Greet the world', capabilities: ['moody'] });
    const failed = await finalTask(api, id);
    expect(failed).toMatchObject({ state: 'failed', failure: { step: 'work', exitCode: 7 } });
    await agentsFreed(api);

    writeFileSync(join(folder.path, 'mended'), '');
    await api.command(`/tasks/${id}/retry`, {});
    const done = await finalTask(api, id);
    expect(done.state).toBe('complete');
    const claims = done.history.filter(({ type }) => type === 'TaskClaimed').map(({ data }) => data['claimId']);
    expect(new Set(claims).size).toBe(2);
    expect(done.pipelines).toHaveLength(2);
    expect(git(repository, 'rev-parse', `workledger/${id}`)).toBe(done.result?.commit);
  });
});

test('no secret of the hook reaches an output, and the key file is for its owner only', async () => {
  const { written } = system.program;
  const key = (await readFile(join(system.dataFolder, 'admin-key'), 'utf8')).trim();
  expect([SECRET, key].filter((secret) => written.output.includes(secret))).toEqual([]);
  expect(await system.stop()).toBe(0);
  expect(processesOf(folder.path)).toEqual([]);
});
