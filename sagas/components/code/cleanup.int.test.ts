import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { resultOf } from '../git/names.ts';
import { createCodeWorld, createTestArtefacts, createWorldWithWork, has, type TestArtefacts } from '../testing.ts';
import { commitAsUser, git } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const worldWithWork = (options?: Parameters<typeof createWorldWithWork>[1]) =>
  createWorldWithWork(store.artefacts, options);

describe('prepare', () => {
  test('finds the commit of an earlier run that a task goes on with; once that is gone, it says so for good', async () => {
    const { call, commit, base, bare, dataFolder, inRun } = await worldWithWork();
    rmSync(join(dataFolder, 'repositories'), { recursive: true });
    expect(await call('code.prepare', { commit, runId: newId() })).toMatchObject({ base });
    git(bare, 'update-ref', '-d', resultOf(inRun, 'generate-1', commit));
    git(bare, 'prune', '--expire=now');
    rmSync(join(dataFolder, 'repositories'), { recursive: true });
    await expect(call('code.prepare', { commit, runId: newId() })).rejects.toMatchObject({
      retryable: false,
      failure: { reason: expect.stringMatching(/no longer in the origin: retry from generate/) },
    });
  });
});

describe('cleanup', () => {
  test('leaves every commit that was made, and branches, and may be repeated', async () => {
    const { call, publish, bare, branch, commit, inRun } = await worldWithWork();
    await publish();
    expect(await call<ResultOf<'code.cleanup'>>('code.cleanup', {})).toEqual({ worktrees: 0 });
    expect(git(bare, 'rev-parse', resultOf(inRun, 'generate-1', commit))).toBe(commit);
    expect(has(bare, `refs/heads/${branch}`)).toBe(true);
    expect(await call<ResultOf<'code.cleanup'>>('code.cleanup', {})).toEqual({ worktrees: 0 });
  });

  test('of an old run, and its unpublish, leave alone what the next run of the task made', async () => {
    const old = await worldWithWork();
    await old.publish();
    const runId = newId();
    const next = await old.call<ResultOf<'code.work'>>('code.work', {
      ...old.workRequest('agent', { label: 'generate-1' }),
      runId,
    });
    await old.call('code.publish', { commit: next.commit, branch: old.branch, runId });
    expect(await old.unpublish()).toEqual({ outcome: 'kept' });
    await old.call<ResultOf<'code.cleanup'>>('code.cleanup', {});
    expect(git(old.bare, 'rev-parse', resultOf(old.inRun, 'generate-1', old.commit))).toBe(old.commit);
    expect(git(old.bare, 'rev-parse', resultOf({ ...old.inRun, runId }, 'generate-1', next.commit))).toBe(next.commit);
    expect(git(old.bare, 'rev-parse', `refs/heads/${old.branch}`)).toBe(next.commit);
  });

  test('keeps the branch when a later run published the same commit, which may delete it', async () => {
    const { publish, unpublish, call, commit, branch } = await worldWithWork();
    await publish();
    const runId = newId();
    await call('code.publish', { commit, branch, runId });
    expect(await unpublish()).toEqual({ outcome: 'kept' });
    expect(await call('code.unpublish', { branch, runId })).toEqual({ outcome: 'deleted' });
  });

  test('frees the name under which a remote agent pushed what the run keeps itself, and leaves what it pushed since', async () => {
    const { call, user, bare, base, inRun } = await worldWithWork();
    const task = `refs/workledger/${inRun.taskId}`;
    const commit = commitAsUser(user, { 'remote.txt': '1' }, 'Remote');
    git(user, 'push', '--quiet', 'origin', `HEAD:${task}/remote-1`);
    await call('code.inspect', { commit, base });
    const later = commitAsUser(user, { 'remote.txt': '2' }, 'Remote again');
    git(user, 'push', '--quiet', 'origin', `HEAD:${task}/remote-2`);
    await call<ResultOf<'code.cleanup'>>('code.cleanup', {});
    expect(has(bare, `${task}/remote-1`)).toBe(false);
    expect(git(bare, 'rev-parse', resultOf(inRun, 'inspected', commit))).toBe(commit);
    expect(git(bare, 'rev-parse', `${task}/remote-2`)).toBe(later);
  });

  test('leaves the branch of work that failed where branches are kept', async () => {
    const { publish, unpublish, bare, branch, commit } = await worldWithWork({ retention: { branches: 'keep' } });
    await publish();
    expect(await unpublish()).toEqual({ outcome: 'kept' });
    expect(git(bare, 'rev-parse', `refs/heads/${branch}`)).toBe(commit);
  });

  test('kills the agent that still runs for this task run', async () => {
    const made = createCodeWorld(store.artefacts, {
      agents: {
        agent: `import { writeFileSync } from 'node:fs'; import { dirname, join } from 'node:path';
          writeFileSync(join(dirname(process.argv[1]), 'started'), ''); setInterval(() => {}, 1000);`,
      },
    });
    onTestFinished(() => made.remove());
    const working = made.call('code.work', made.workRequest('agent')).catch((error: unknown) => error);
    while (!existsSync(join(made.folder, 'started'))) await sleep(20);
    expect(await made.call<ResultOf<'code.cleanup'>>('code.cleanup', {})).toEqual({ worktrees: 1 });
    expect(await working).toMatchObject({ failure: { step: 'work' } });
    expect(made.leftovers()).toEqual([]);
  });
});
