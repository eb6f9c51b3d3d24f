import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ComponentFailure } from '../../engine/component.ts';
import { resultOf } from '../git/names.ts';
import { createTestArtefacts, createWorldWithWork, has, type TestArtefacts } from '../testing.ts';
import { commitAsUser, git } from '@workledger/infra/testing/repository/git.ts';
import type { ResultOf } from '../catalogue.ts';

let store: TestArtefacts;
beforeAll(async () => void (store = await createTestArtefacts()));
afterAll(() => store.drop());

const worldWithWork = (options?: Parameters<typeof createWorldWithWork>[1]) =>
  createWorldWithWork(store.artefacts, options);

describe('publish', () => {
  test('puts the commit on a branch of the origin, and may be repeated', async () => {
    const { publish, bare, branch, commit } = await worldWithWork();
    expect(await publish()).toEqual({ branch, commit });
    expect(await publish()).toEqual({ branch, commit });
    expect(git(bare, 'rev-parse', `refs/heads/${branch}`)).toBe(commit);
  });

  test('tells what the branch changes from its base, to be read by people', async () => {
    const { call, user, base, branch } = await worldWithWork();
    const files = Object.fromEntries(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => [`notes/${name}.txt`, 'one\ntwo\n']));
    const commit = commitAsUser(user, { ...files, 'src/add.mjs': null }, 'Notes');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/elsewhere');
    expect(await call('code.publish', { commit, base, branch })).toMatchObject({
      change: {
        files: 7,
        insertions: 12,
        deletions: 1,
        paths: ['a', 'b', 'c', 'd', 'e'].map((name) => `notes/${name}.txt`),
      },
    });
  });

  test('moves its own branch on to other work of the same task', async () => {
    const { publish, call, workRequest, bare, branch } = await worldWithWork();
    await publish();
    const second = await call<ResultOf<'code.work'>>('code.work', workRequest('agent', { label: 'generate-2' }));
    await publish(second.commit);
    expect(git(bare, 'rev-parse', `refs/heads/${branch}`)).toBe(second.commit);
  });

  test('leaves a branch with other commits alone, and never takes the base branch', async () => {
    const { publish, call, commit, user, bare, branch } = await worldWithWork();
    const theirs = commitAsUser(user, { 'theirs.txt': 'x' }, 'Theirs');
    git(user, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    await expect(publish()).rejects.toThrow(/has commits that are not of this task/);
    await expect(call('code.publish', { commit, branch: 'main' })).rejects.toThrow(/is the base branch/);
    await expect(call('code.publish', { commit, branch: '--mirror' })).rejects.toThrow(/is no branch name/);
    expect(git(bare, 'rev-parse', `refs/heads/${branch}`)).toBe(theirs);
  });

  test('is undone by unpublish, which may be repeated and keeps what people added', async () => {
    const { publish, unpublish, user, bare, branch } = await worldWithWork();
    await publish();
    git(user, 'fetch', '--quiet', 'origin', branch);
    git(user, 'checkout', '--quiet', 'FETCH_HEAD');
    commitAsUser(user, { 'theirs.txt': 'x' }, 'Theirs');
    git(user, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`);
    expect(await unpublish()).toEqual({ outcome: 'kept' });
    git(user, 'push', '--quiet', '--force', 'origin', `FETCH_HEAD:refs/heads/${branch}`);
    expect(await unpublish()).toEqual({ outcome: 'deleted' });
    expect(has(bare, `refs/heads/${branch}`)).toBe(false);
    expect(await unpublish()).toEqual({ outcome: 'absent' });
  });
});

describe('merge', () => {
  test('moves the base branch forward, and may be repeated', async () => {
    const { merge, bare, base, commit } = await worldWithWork();
    expect(await merge()).toEqual({ outcome: 'merged', commit, base });
    expect(await merge()).toEqual({ outcome: 'merged', commit, base });
    expect(git(bare, 'rev-parse', 'main')).toBe(commit);
  });

  test('answers base-moved when somebody was faster, and changes nothing', async () => {
    const { merge, moveBase, bare, commit } = await worldWithWork();
    const base = moveBase({ 'readme.txt': 'hello' });
    expect(await merge()).toEqual({ outcome: 'base-moved', commit, base });
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
  });

  test('is refused for work that changes protected paths: what would be merged is not what was judged', async () => {
    const { merge, user, bare, base } = await worldWithWork();
    const commit = commitAsUser(user, { 'src/add.mjs': 'export const add = 1;\n', 'test/add.test.mjs': null }, 'Cheat');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/other');
    await expect(merge(commit)).rejects.toMatchObject({
      retryable: false,
      failure: { reason: expect.stringMatching(/the work changes test\/add\.test\.mjs, which is protected/) },
    });
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
  });

  test('is refused where the registration says never', async () => {
    const { merge, bare, base } = await worldWithWork({ repository: { merge: 'never' } });
    await expect(merge()).rejects.toMatchObject({
      retryable: false,
      failure: { reason: expect.stringMatching(/never/) },
    });
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
  });

  test('is refused by git where a person has the base branch checked out; nothing of theirs changes', async () => {
    const { merge, user, base } = await worldWithWork({ bare: false });
    await expect(merge()).rejects.toMatchObject({
      retryable: false,
      failure: { step: 'merge', reason: expect.stringMatching(/"main" is checked out in the origin/) },
    });
    expect(git(user, 'rev-parse', 'HEAD')).toBe(base);
    expect(git(user, 'status', '--porcelain')).toBe('');
    expect(readFileSync(join(user, 'src/add.mjs'), 'utf8')).toContain('a - b');
  });

  test('tells what the origin says when its hook refuses', async () => {
    const { merge, bare } = await worldWithWork();
    const hook = join(bare, 'hooks', 'pre-receive');
    mkdirSync(join(bare, 'hooks'), { recursive: true });
    writeFileSync(hook, '#!/bin/sh\necho "main is frozen" >&2\nexit 1\n', { mode: 0o755 });
    const error: unknown = await merge().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ retryable: false, failure: { step: 'merge' } });
    expect((error as ComponentFailure).failure.lastLines.join('\n')).toMatch(/main is frozen/);
  });
});

describe('a look whether it was merged', () => {
  test.each(['fast-forward', 'squash'])('moves nothing, and knows what was (%s)', async (how) => {
    const { call, merge, moveBase, user, bare, base, commit } = await worldWithWork({ repository: { merge: how } });
    const look = () => call<ResultOf<'code.landed'>>('code.landed', { commit, base });
    expect(await look()).toEqual({ outcome: 'base-moved', commit, base });
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
    const merged = await merge();
    expect(await look()).toEqual(merged);
    git(user, 'pull', '--quiet', '--ff-only', 'origin', 'main');
    moveBase({ 'readme.txt': 'later' });
    expect(await look()).toEqual(merged);
  });
});

describe('squash', () => {
  const squash = { repository: { merge: 'squash' } };
  const show = (repository: string, format: string, commit = 'main'): string =>
    git(repository, 'show', '--no-patch', `--format=${format}`, commit);

  test('lands one commit on the base, with the judged tree, the words of the task and its trailer', async () => {
    const { merge, user, bare, base, inRun } = await worldWithWork(squash);
    commitAsUser(user, { 'src/more.mjs': 'export const one = 1;\n' }, 'Own commit');
    const judged = commitAsUser(user, { 'src/more.mjs': 'export const two = 2;\n' }, 'Restore protected paths');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/other');
    const { outcome, commit } = await merge(judged);
    expect([outcome, git(bare, 'rev-parse', 'main')]).toEqual(['merged', commit]);
    expect(show(bare, '%P')).toBe(base);
    expect(show(bare, '%T')).toBe(show(bare, '%T', judged));
    expect(show(bare, '%B')).toBe(`Fix add\n\nIt subtracts.\n\nTask: ${inRun.taskId}`);
    expect(show(bare, '%an <%ae> %aI %cI')).toBe(`Workledger <workledger@localhost> ${show(bare, '%cI %cI', judged)}`);
    expect(git(bare, 'rev-list', '--count', `${base}..main`)).toBe('1');
  });

  test('is known again when it is repeated, also when others went on from it', async () => {
    const { merge, moveBase, user, bare, base } = await worldWithWork(squash);
    const first = await merge();
    expect(await merge()).toEqual(first);
    git(user, 'pull', '--quiet', '--ff-only', 'origin', 'main');
    const later = moveBase({ 'readme.txt': 'later' });
    expect(await merge()).toEqual(first);
    expect(git(bare, 'rev-parse', 'main')).toBe(later);
    expect(git(bare, 'rev-list', '--count', `${base}..main`)).toBe('2');
  });

  test('is not taken for what a person did alike, and changes nothing where the base moved', async () => {
    const { merge, moveBase, bare, commit } = await worldWithWork(squash);
    const base = moveBase({ 'src/add.mjs': 'export const add = (a, b) => a + b;\n' });
    expect(git(bare, 'rev-parse', `${base}^{tree}`)).toBe(git(bare, 'rev-parse', `${commit}^{tree}`));
    expect(await merge()).toEqual({ outcome: 'base-moved', commit, base });
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
  });

  test('refuses protected changes', async () => {
    const { merge, user, bare, base } = await worldWithWork(squash);
    const commit = commitAsUser(user, { 'test/add.test.mjs': null }, 'Cheat');
    git(user, 'push', '--quiet', 'origin', 'HEAD:refs/heads/other');
    await expect(merge(commit)).rejects.toThrow(/is protected/);
    expect(git(bare, 'rev-parse', 'main')).toBe(base);
  });
});

describe('rebase', () => {
  test('replays the work onto the moved base, which then can be merged', async () => {
    const { rebase, merge, moveBase, bare, inRun } = await worldWithWork();
    const moved = moveBase({ 'readme.txt': 'hello' });
    const result = await rebase();
    expect(result).toMatchObject({ outcome: 'rebased', base: moved });
    const { commit } = result as { commit: string };
    expect(git(bare, 'rev-parse', resultOf(inRun, 'rebase-1', commit))).toBe(commit);
    expect(git(bare, 'diff', '--name-only', moved, commit)).toBe('src/add.mjs');
    expect(await merge(commit, moved)).toMatchObject({ outcome: 'merged' });
  });

  test('answers a conflict with the files, and reports the work and both sides of what is in its way', async () => {
    const { rebase, moveBase, leftovers, text } = await worldWithWork();
    const moved = moveBase({ 'src/add.mjs': 'export const add = (a, b) => a * b;\n' });
    const result = await rebase();
    expect(result).toMatchObject({ outcome: 'conflict', base: moved });
    const { detail, report } = result as { detail: string; report: { digest: string } };
    expect(detail).toMatch(/conflict in src\/add\.mjs/);
    const told = await text(report.digest);
    expect(told).toMatch(/^\+export const add = \(a, b\) => a \+ b;$/m);
    expect(told).toMatch(/<<<<<<<[^]*a \* b[^]*=======[^]*a \+ b[^]*>>>>>>>/);
    expect(leftovers()).toEqual([]);
  });

  test('answers the commit itself when the base did not move', async () => {
    const { rebase, commit, base } = await worldWithWork();
    expect(await rebase()).toEqual({ outcome: 'rebased', commit, base, samePatch: true });
  });
});
