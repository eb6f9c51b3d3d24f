import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { agentsFreed, createTask, finalTask, type Task } from '../testing/system/tasks.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/git.ts';
import { processesOf } from '../testing/processes/processes.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import {
  scriptAgent,
  writeRightGreet,
  createShellRepository,
  shellRegistration,
} from '../testing/repository/shell-repository.ts';

const OUTPUT_LIMIT = 20_000;

const agents = [
  scriptAgent('idle', 'echo nothing to do here'),
  scriptAgent('quitter', 'echo half done > bin/greet; echo "no more tokens" >&2; exit 1'),
  scriptAgent('hanging', 'echo thinking; sleep 1000 & sleep 1000', { limits: { timeoutSeconds: 1 } }),
  scriptAgent('parent', `setsid sleep 1000 & sleep 1000 & ${writeRightGreet}`),
  scriptAgent(
    'committer',
    `${writeRightGreet}git -c user.name=A -c user.email=a@example.org commit -qam "By myself"\n`,
  ),
  scriptAgent('noisy', `${writeRightGreet}head -c 100000000 /dev/zero | tr '\\0' x; echo the end\n`, {
    limits: { timeoutSeconds: 60, maxOutputBytes: OUTPUT_LIMIT },
  }),
  scriptAgent('cheater', 'rm -f checks/run; date +%N >> NOTES'),
  scriptAgent('tidier', `${writeRightGreet}rm checks/run\n`),
  { ...scriptAgent('absent', ''), command: ['/no/such/agent'] },
];

let folder: SystemFolder;
let repository: string;
let base: string;
let system: RunningSystem;
const tasks = new Map<string, Task>();

beforeAll(async () => {
  folder = await systemFolder();
  repository = join(folder.path, 'greeter');
  base = createShellRepository(repository);
  system = await startInFolder(folder.path, { repositories: [{ ...shellRegistration, url: 'greeter' }], agents });
  const { client } = system;
  const done = agents.map(async ({ name }) => {
    const id = await createTask(client, 'greeter', { title: `Work of the ${name}`, capabilities: [name] });
    tasks.set(name, await finalTask(client, id));
  });
  await Promise.all(done);
  await agentsFreed(client);
}, 120_000);
afterAll(() => folder.remove());

const taskOf = (name: string): Task => {
  const task = tasks.get(name);
  if (task === undefined) throw new Error(`no task of ${name}`);
  return task;
};

const failureOf = (name: string): Failure => {
  const task = taskOf(name);
  if (task.state !== 'failed' || task.failure === null) throw new Error(`the task of ${name} is ${task.state}`);
  return task.failure;
};

const artefact = async (digest = ''): Promise<string> => {
  const headers = { Authorization: `Bearer ${system.key}` };
  return (await fetch(`${system.url}/api/v1/artefacts/${digest}`, { headers })).text();
};

const logOf = async ({ log }: Failure): Promise<string> => {
  if (log === null) throw new Error('the failure names no log');
  return artefact(log.digest);
};

type Generation = { attempts: unknown[]; output: { digest: string; size: number } | null };

async function generationOf(name: string): Promise<Generation> {
  const found = await system.client.find<{ items: { id: string }[] }>(`/generations?taskId=${taskOf(name).id}`);
  const generation = await system.client.find<Generation>(`/generations/${found?.items[0]?.id}`);
  if (generation === null) throw new Error(`no generation of ${name}`);
  return generation;
}

describe('the task fails by name, when the agent', () => {
  test('changes nothing', async () => {
    const failure = failureOf('idle');
    expect(failure).toMatchObject({ step: 'work', reason: 'the agent changed nothing', exitCode: 0 });
    expect(failure.lastLines).toEqual(['nothing to do here']);
    expect(await logOf(failure)).toBe('nothing to do here\n');
  });

  test('ends with exit code 1, after a second attempt', async () => {
    const failure = failureOf('quitter');
    expect(failure).toMatchObject({ step: 'work', reason: 'agent "quitter": exit code 1', exitCode: 1 });
    expect(failure.command?.[0]).toBe('/bin/sh');
    expect(await logOf(failure)).toBe('no more tokens\n');
    expect((await generationOf('quitter')).attempts).toHaveLength(2);
  });

  test('hangs: it is killed at its time limit', async () => {
    const failure = failureOf('hanging');
    expect(failure).toMatchObject({
      step: 'work',
      reason: 'agent "hanging": no end within 1 s',
      lastLines: ['thinking'],
    });
    expect(await logOf(failure)).toBe('thinking\n');
  });

  test('deletes the failing test: it is restored from the base, judges, and that is told', async () => {
    const failure = failureOf('cheater');
    expect(failure).toMatchObject({ step: 'test', reason: 'exit code 4', command: ['sh', 'checks/run'], exitCode: 4 });
    expect(failure.lastLines).toEqual(['greet said: Hello, !']);
    expect(await logOf(failure)).toContain('protected path restored from the base: checks/run');
    expect(
      taskOf('cheater')
        .validations.map(({ state }) => state)
        .sort(),
    ).toEqual(['back-to-work', 'failed']);
  });

  test('is not there', () => {
    expect(failureOf('absent')).toMatchObject({
      step: 'work',
      reason: expect.stringContaining('/no/such/agent') as string,
    });
  });
});

describe('the work counts by its diff and the tests, when the agent', () => {
  const changed = (name: string): string =>
    git(repository, 'diff', '--name-only', `${base}..workledger/${taskOf(name).id}`);

  test('leaves a child and a grandchild behind: they end with it', () => {
    expect(taskOf('parent').state).toBe('complete');
    expect(processesOf(folder.path).filter(({ command }) => command.includes('sleep'))).toEqual([]);
  });

  test('commits by itself', () => {
    expect(taskOf('committer').state).toBe('complete');
    expect(changed('committer')).toBe('bin/greet');
    expect(git(repository, 'log', '--format=%s', `${base}..workledger/${taskOf('committer').id}`)).toContain(
      'By myself',
    );
  });

  test('prints 100 MB: the limit is kept, and what was dropped is told', async () => {
    expect(taskOf('noisy')).toMatchObject({ state: 'complete' });
    const { output } = await generationOf('noisy');
    expect(output?.size).toBeLessThan(OUTPUT_LIMIT * 1.1);
    const kept = await artefact(output?.digest);
    expect(kept).toMatch(/^x+\n\[… \d{8} bytes dropped …\]\nx+the end\n$/);
  });

  test('deletes a protected test and does the work right: that passes by the restored test, and is told', () => {
    const task = taskOf('tidier');
    expect(task).toMatchObject({ state: 'complete', result: { merged: false } });
    expect(system.program.written.stdout).toContain('passed (changes to protected paths undone: checks/run)');
  });
});

describe('afterwards', () => {
  test('every agent is freed, no worktree and no attempt is left, only work that passed has a branch, and nothing paid is lost', async () => {
    const found = await system.client.find<{ items: { status: string }[] }>('/agents');
    expect(found?.items.map(({ status }) => status)).toEqual(agents.map(() => 'idle'));
    expect(await readdir(join(system.dataFolder, 'worktrees'))).toEqual([]);
    expect(await readdir(join(system.dataFolder, 'attempts'))).toEqual([]);
    const complete = ['parent', 'committer', 'noisy', 'tidier'].map(
      (name) => `refs/heads/workledger/${taskOf(name).id}`,
    );
    const refs = git(repository, 'for-each-ref', '--format=%(refname)').split('\n');
    expect(refs.filter((ref) => ref.startsWith('refs/heads/')).sort()).toEqual(
      ['refs/heads/trunk', ...complete].sort(),
    );
    for (const branch of complete) {
      const task = branch.slice('refs/heads/workledger/'.length);
      expect(refs.filter((ref) => ref.startsWith(`refs/workledger/${task}/`))).toContainEqual(
        expect.stringMatching(/\/published-[0-9a-f]+$/),
      );
    }
    expect(refs.filter((ref) => /\/generate-1-1-failed-[0-9a-f]+$/.test(ref))).not.toEqual([]);
  });

  test('no process stays when it stops', async () => {
    expect(await system.stop()).toBe(0);
    expect(processesOf(folder.path)).toEqual([]);
  });
});
