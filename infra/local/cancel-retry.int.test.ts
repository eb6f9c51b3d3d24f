import { existsSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentsFreed, createTask, finalTask } from '../testing/system/tasks.ts';
import { closedIssue, deliver, labeledIssue, REPOSITORY, SECRET, SENDER } from '../testing/system/github.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/git.ts';
import { until } from '../testing/processes/until.ts';
import { processesOf } from '../testing/processes/processes.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import {
  scriptAgent,
  writeRightGreet,
  createShellRepository,
  shellRegistration,
} from '../testing/repository/shell-repository.ts';

let folder: SystemFolder;
let repository: string;
let system: RunningSystem;

beforeAll(async () => {
  folder = await systemFolder();
  repository = join(folder.path, 'greeter');
  createShellRepository(repository);
  const started = join(folder.path, 'started');
  const mended = join(folder.path, 'mended');
  system = await startInFolder(
    folder.path,
    {
      webhooks: { github: { secrets: [{ env: 'HOOK_SECRET' }] } },
      repositories: [
        { ...shellRegistration, url: repository, github: REPOSITORY, trusted: [SENDER], capabilities: ['slow'] },
      ],
      agents: [
        scriptAgent('slow', `sleep 2000 & echo $$ > "${started}"; sleep 2000`, {
          limits: { timeoutSeconds: 900 },
          write: [folder.path],
        }),
        scriptAgent('moody', `if test -e "${mended}"; then ${writeRightGreet}\nelse exit 7; fi`, {
          read: [folder.path],
        }),
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
  await agentsFreed(system.client);
  for (let look = 0; look < 100 && sleepers() > 0; look++) await pause(50);
  expect(sleepers()).toBe(0);
  for (let look = 0; look < 100 && (await readdir(join(system.dataFolder, 'attempts'))).length > 0; look++)
    await pause(50);
  expect(await readdir(join(system.dataFolder, 'worktrees'))).toEqual([]);
  expect(await readdir(join(system.dataFolder, 'attempts'))).toEqual([]);
  expect(git(repository, 'for-each-ref', '--format=%(refname)')).toBe('refs/heads/trunk');
}

test(
  'a saga looks whether a cancelled task with subtasks has anything left to cancel',
  { timeout: 60_000 },
  async () => {
    const { client } = system;
    const id = await createTask(client, 'greeter', { title: 'In parts', capabilities: ['nobody'] });
    await client.expect2xx('POST', `/tasks/${id}/expand`, {
      body: { subtasks: [{ title: 'one', capabilities: ['nobody'] }] },
    });
    await client.expect2xx('POST', `/tasks/${id}/cancel`, {});
    const stream = `saga-subtasks-${id}`;
    const told = async () => (await client.log()).filter((event) => event.stream === stream).map(({ type }) => type);
    await until('the saga to be answered', async () => (await told()).includes('SagaEffectSucceeded'), 20);
    expect(await told()).toEqual(['SagaInputReceived', 'SagaEffectRequested', 'SagaEffectSucceeded']);
  },
);

describe('cancelling while the agent runs', { timeout: 60_000 }, () => {
  test('kills its process group, removes its worktree and frees the agent', async () => {
    const { client } = system;
    const id = await createTask(client, 'greeter', { title: 'Never mind', capabilities: ['slow'] });
    await slowAgentRuns();
    await client.expect2xx('POST', `/tasks/${id}/cancel`, { body: { reason: 'not needed' } });
    expect(await finalTask(client, id)).toMatchObject({ state: 'cancelled' });
    await nothingIsLeft();
  });

  test('is what a closed issue does', async () => {
    const { client } = system;
    const issue = labeledIssue(7, 'Greet the world');
    const { taskId } = (await deliver(client, issue)).body;
    if (typeof taskId !== 'string') throw new Error('the delivery was ignored');
    await slowAgentRuns();
    expect((await deliver(client, closedIssue(issue))).status).toBeLessThan(300);
    const task = await finalTask(client, taskId);
    expect(task.state).toBe('cancelled');
    expect(task.history.find(({ type }) => type === 'TaskCancelled')?.data['reason']).toMatch(/closed/);
    await nothingIsLeft();
  });
});

describe('retrying', { timeout: 60_000 }, () => {
  test('a failed task starts it again under a fresh claim', async () => {
    const { client } = system;
    const id = await createTask(client, 'greeter', { title: 'Greet the world', capabilities: ['moody'] });
    const failed = await finalTask(client, id);
    expect(failed).toMatchObject({ state: 'failed', failure: { step: 'work', exitCode: 7 } });
    await agentsFreed(client);

    writeFileSync(join(folder.path, 'mended'), '');
    const { token } = await client.expect2xx('POST', `/tasks/${id}/retry`, { body: {} });
    const done = await finalTask(client, id, token);
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
