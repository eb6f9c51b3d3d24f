import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finalTask, type Task } from '../testing/system/tasks.ts';
import { openToOthers, systemFolder, type SystemFolder } from '../testing/processes/folder.ts';
import { git } from '../testing/repository/git.ts';
import { noProcessesOf } from '../testing/processes/processes.ts';
import { startCommand } from '../testing/processes/program.ts';
import { startInFolder, type RunningSystem } from '../testing/system/in-folder.ts';
import {
  scriptAgent,
  writeRightGreet,
  createShellRepository,
  shellRegistration,
} from '../testing/repository/shell-repository.ts';

/** All that a person would miss: HEAD, index and configuration byte by byte, what git says, and the working tree. */
const belongings = (repository: string): Record<string, string> => ({
  head: readFileSync(join(repository, '.git', 'HEAD'), 'utf8'),
  index: readFileSync(join(repository, '.git', 'index')).toString('hex'),
  config: readFileSync(join(repository, '.git', 'config'), 'utf8'),
  branch: git(repository, 'rev-parse', 'trunk', 'feature'),
  worktrees: git(repository, 'worktree', 'list'),
  status: git(repository, '--no-optional-locks', 'status', '--porcelain=v2', '--branch'),
  notes: readFileSync(join(repository, 'NOTES'), 'utf8'),
  untracked: readFileSync(join(repository, 'draft.txt'), 'utf8'),
});

describe("the user's own repository, by the README's way", { timeout: 60_000 }, () => {
  let folder: SystemFolder;
  let repository: string;
  let base: string;
  let before: Record<string, string>;
  let system: RunningSystem;
  let task: Task;

  beforeAll(async () => {
    folder = await systemFolder();
    repository = join(folder.path, 'my greeter');
    await mkdir(join(folder.path, 'desk'));
    base = createShellRepository(repository);
    git(repository, 'switch', '--quiet', '--create', 'feature');
    writeFileSync(join(repository, 'draft.txt'), 'not yet\n');
    writeFileSync(join(repository, 'staged.txt'), 'staged\n');
    git(repository, 'add', 'staged.txt');
    appendFileSync(join(repository, 'NOTES'), 'a line of today\n');
    before = belongings(repository);
    system = await startInFolder(join(folder.path, 'desk'), {
      repositories: [{ ...shellRegistration, url: '../my greeter' }],
      agents: [scriptAgent('code', `echo '::progress 50% writes the greeting'; sleep 1; ${writeRightGreet}`)],
    });
  });
  afterAll(() => folder.remove());

  test('one curl makes a task that ends as a branch of the repository', async () => {
    const { client, url, dataFolder } = system;
    const line = `curl -sf -X POST ${url}/api/v1/tasks -H "Authorization: Bearer $(cat ${dataFolder}/admin-key)" \
      -H "Content-Type: application/json" -H "Idempotency-Key: first" \
      -d '{"title":"Greet the world","description":"Without a name greet the world.","repository":"greeter","capabilities":["code"]}'`;
    const curl = startCommand('sh', ['-c', line], { cwd: folder.path });
    expect(await curl.ended).toBe(0);
    const { id } = JSON.parse(curl.written.stdout) as { id: string };
    task = await finalTask(client, id);

    expect(task).toMatchObject({ state: 'complete', result: { branch: `workledger/${id}`, merged: false } });
    const branch = git(repository, 'rev-parse', `workledger/${id}`);
    expect(branch).toBe(task.result?.commit);
    expect(git(repository, 'rev-parse', `${branch}~1`)).toBe(base);
    expect(git(repository, 'show', '--format=', '--name-only', branch)).toBe('bin/greet');
  });

  test('what the agent said while it worked is its progress, and was printed once', () => {
    const notes = task.history.filter(({ type }) => type === 'TaskProgressReported').map(({ data }) => data);
    expect(notes).toEqual([{ claimId: task.claimId, note: 'writes the greeting', percent: 50 }]);
    expect(system.program.written.stdout.match(/ progress +50 %: writes the greeting\n/g)).toHaveLength(1);
  });

  test('working tree, index, HEAD, branches and configuration stay byte by byte as they were', () => {
    expect(belongings(repository)).toEqual(before);
  });

  test('nothing but the branch is left among branches and tags; what was paid for is kept apart from them', () => {
    const refs = git(repository, 'for-each-ref', '--format=%(refname)').split('\n');
    const kept = refs.filter((ref) => ref.startsWith(`refs/workledger/${task.id}/`));
    expect(
      kept.map((ref) =>
        ref
          .split('/')
          .at(-1)
          ?.replace(/-[0-9a-f]{12}$/, ''),
      ),
    ).toEqual(['generate-1-1', 'published']);
    expect(refs.filter((ref) => !kept.includes(ref))).toEqual([
      'refs/heads/feature',
      'refs/heads/trunk',
      `refs/heads/workledger/${task.id}`,
    ]);
  });

  test('the steps are printed as they happen, without the key', async () => {
    const { written } = system.program;
    await system.program.until(/agent +freed/);
    expect(written.stdout).toMatch(
      / task +"Greet the world" is .*\n.* task +created(.*\n)*.* validate +passed\n(.*\n)*.* task +complete, 1 file \+1 −1/,
    );
    expect(written.output).not.toContain(system.key);
  });

  test('SIGTERM drains: exit code 0, nothing stays running', async () => {
    expect(await system.stop()).toBe(0);
    await noProcessesOf(folder.path);
    expect(belongings(repository)).toEqual(before);
  });

  test('nobody else reads what Workledger wrote; what it pushed is as git writes it', async () => {
    const { looked, open } = await openToOthers(system.dataFolder);
    expect(looked).toBeGreaterThan(100);
    expect(open).toEqual([]);
    const objects = await readdir(join(repository, '.git', 'objects'), { recursive: true, withFileTypes: true });
    const modes = objects
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mode & 0o444);
    expect(new Set(modes)).toEqual(new Set([0o444]));
  });
});
