import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTask, finalTask, type Task } from '../testing/system/tasks.ts';
import { systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { createBareOrigin, git } from '../testing/repository/git.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import {
  scriptAgent,
  writeRightGreet,
  createShellRepository,
  shellRegistration,
} from '../testing/repository/shell-repository.ts';

/** Does the rest only the first time that it is done for this purpose. */
const once = (marker: string, script: string): string => `if mkdir ${marker} 2>/dev/null; then ${script}\nfi\n`;

let folder: SystemFolder;
let person: string;
let origin: string;
let system: RunningSystem;

/** A person commits and pushes to the base branch while the agent works: `change` is shell in the person's clone. */
const personPushes = (change: string): string =>
  `(cd "${person}" && git pull --quiet --rebase && ${change} && git commit --quiet --all --message "By a person" && git push --quiet)`;

const work = async (capability: string): Promise<Task> =>
  finalTask(
    system.client,
    await createTask(system.client, 'greeter', { title: `The ${capability} way`, capabilities: [capability] }),
  );

const typesOf = ({ history }: Task): string[] => history.map(({ type }) => type);

beforeAll(async () => {
  folder = await systemFolder();
  person = join(folder.path, 'person');
  createShellRepository(person);
  origin = createBareOrigin(person);
  git(person, 'fetch', '--quiet');
  git(person, 'branch', '--quiet', '--set-upstream-to', 'origin/trunk');
  const marker = (name: string): string => `"${join(folder.path, name)}"`;
  const addLine = (text: string): string => `sed -i "1s/.*/${text}/" NOTES`;
  system = await startInFolder(folder.path, {
    repositories: [{ ...shellRegistration, url: origin, merge: 'fast-forward' }],
    agents: [
      scriptAgent('straight', writeRightGreet),
      scriptAgent('overtaken', once(marker('moved'), personPushes('echo more >> NOTES')) + addLine('by the agent'), {
        write: [folder.path],
      }),
      scriptAgent(
        'crossed',
        once(marker('crossed'), personPushes(addLine('first by a person'))) + 'date +%N > NOTES\n',
        { write: [folder.path] },
      ),
      scriptAgent('protector', 'echo "# never mind" >> checks/run; date +%N > NOTES\n'),
    ],
  });
}, 60_000);
afterAll(() => folder.remove());

describe('merging by fast-forward into a bare repository', { timeout: 60_000 }, () => {
  test('moves the base branch to the validated commit', async () => {
    const task = await work('straight');
    expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(git(origin, 'rev-parse', 'trunk')).toBe(task.result?.commit);
  });

  test('when the base moved meanwhile, the work is rebased, validated once more, and merged', async () => {
    const task = await work('overtaken');
    expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(task.validations.map(({ state }) => state)).toEqual(['passed', 'passed']);
    expect(typesOf(task)).not.toContain('TaskSentBack');
    expect(git(origin, 'rev-parse', 'trunk')).toBe(task.result?.commit);
    expect(git(origin, 'log', '-2', '--format=%s', 'trunk')).toBe('The overtaken way\nBy a person');
    expect(git(origin, 'show', 'trunk:NOTES')).toBe('by the agent\nsecond\nthird\nmore');
    expect(system.program.written.stdout).toContain('base branch moved to the validated commit, rebased once');
  });

  test('when the rebase conflicts, the work goes back to the agent, which starts from the new base', async () => {
    const task = await work('crossed');
    expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(typesOf(task)).toContain('TaskSentBack');
    const sentBack = task.history.find(({ type }) => type === 'TaskSentBack');
    expect(sentBack?.data['reason']).toMatch(/the base moved to [0-9a-f]{40} and the work conflicts with it: .*NOTES/s);
    expect(git(origin, 'log', '-2', '--format=%s', 'trunk')).toBe('The crossed way\nBy a person');
  });

  test('what is merged is what was judged: with the protected paths of the base', async () => {
    const before = git(origin, 'rev-parse', 'trunk');
    const task = await work('protector');
    expect(task).toMatchObject({ state: 'complete', result: { merged: true } });
    expect(git(origin, 'diff', '--name-only', before, 'trunk')).toBe('NOTES');
    expect(system.program.written.stdout).toContain('passed (changes to protected paths undone: checks/run)');
  });
});

test('a base branch that is checked out somewhere is not moved behind its owner; what was judged stays, and is merged by a retry that pays no agent', async () => {
  const repository = join(folder.path, 'checked-out');
  createShellRepository(repository);
  writeFileSync(join(repository, 'NOTES'), 'changed\n');
  const head = git(repository, 'rev-parse', 'HEAD');
  await system.stop();
  system = await startInFolder(folder.path, {
    repositories: [{ ...shellRegistration, url: repository, merge: 'fast-forward' }],
    agents: [scriptAgent('straight', writeRightGreet)],
  });
  const task = await work('straight');
  expect(task).toMatchObject({ state: 'failed', failure: { step: 'merge' } });
  expect(task.failure?.reason).toContain('use a bare repository or "merge": "never"');
  expect(git(repository, 'rev-parse', 'HEAD')).toBe(head);
  expect(git(repository, 'status', '--porcelain')).toBe('M NOTES');

  const attempts = async (): Promise<number> =>
    (await system.client.log()).filter(({ type }) => type === 'GenerationAttemptStarted').length;
  const paid = await attempts();
  const judged = git(repository, 'rev-parse', `workledger/${task.id}`);
  git(repository, 'checkout', '--quiet', '--detach');
  const { token } = await system.client.expect2xx('POST', `/tasks/${task.id}/retry`, { body: { from: 'merge' } });
  const merged = await finalTask(system.client, task.id, token);
  expect(merged).toMatchObject({ state: 'complete', result: { merged: true, commit: judged } });
  expect(git(repository, 'rev-parse', 'trunk')).toBe(judged);
  expect([await attempts(), merged.validations.length]).toEqual([paid, 1]);
}, 60_000);
