import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { commitAsUser, createUserRepository, git as userGit } from '@workledger/infra/testing/repository/git.ts';
import { branchHead, diffOf, fetchOrigin, whyNotInOrigin } from './commits.ts';
import { git, GitFailure } from './git.ts';
import { checkoutAt, createCheckout, removeCheckout } from './checkout.ts';
import { openMirror } from './mirror.ts';
import { pushRef, RefMoved, remoteRef } from './push.ts';
import { restorePaths } from './make-commit.ts';

async function mirrored(files: Record<string, string> = { 'a.txt': 'one\n', 'kept/b.txt': 'two\n' }) {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-git-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const user = join(folder, 'user');
  const base = createUserRepository(user, files);
  const mirror = await openMirror(join(folder, 'data'), user);
  await fetchOrigin(mirror, null);
  return { folder, user, base, mirror };
}

test('a mirror follows the origin: new commits come, deleted branches go', async () => {
  const { user, base, mirror } = await mirrored();
  expect(await branchHead(mirror, 'main')).toBe(base);
  userGit(user, 'branch', 'side');
  const next = commitAsUser(user, { 'c.txt': 'three' }, 'Next');
  await fetchOrigin(mirror, null);
  expect([await branchHead(mirror, 'main'), await branchHead(mirror, 'side')]).toEqual([next, base]);
  userGit(user, 'branch', '--delete', 'side');
  await fetchOrigin(mirror, null);
  expect(await branchHead(mirror, 'side')).toBeNull();
});

test('many at once open, fetch and check out without disturbing each other', async () => {
  const { folder, user, base } = await mirrored();
  const data = join(folder, 'other');
  const made = await Promise.all(
    Array.from({ length: 6 }, async (_, number) => {
      const mirror = await openMirror(data, user);
      await fetchOrigin(mirror, null);
      const checkout = checkoutAt(data, mirror, `tree-${number}`);
      await createCheckout(checkout, { commit: base, branch: 'main' });
      return checkout;
    }),
  );
  expect(new Set(made.map(({ path }) => userGit(path, 'rev-parse', 'HEAD')))).toEqual(new Set([base]));
  await Promise.all(made.map(removeCheckout));
  expect(made.filter((one) => existsSync(one.folder))).toEqual([]);
});

test('a lock that another process holds for a moment is waited for, one that a killed process left is removed', async () => {
  const { user, mirror } = await mirrored();
  const lock = join(mirror.originFolder, 'refs/heads/main.lock');
  writeFileSync(lock, '');
  const next = commitAsUser(user, { 'c.txt': 'three' }, 'Next');
  const fetched = fetchOrigin(mirror, null);
  await sleep(300);
  rmSync(lock);
  await fetched;
  expect(await branchHead(mirror, 'main')).toBe(next);

  writeFileSync(lock, '');
  utimesSync(lock, 1, 1);
  const last = commitAsUser(user, { 'c.txt': 'four' }, 'Last');
  await fetchOrigin(mirror, null);
  expect(await branchHead(mirror, 'main')).toBe(last);
});

test('a ref moves only from where it was expected to be', async () => {
  const { user, base, mirror } = await mirrored();
  const next = commitAsUser(user, { 'c.txt': 'three' }, 'Next');
  await fetchOrigin(mirror, null);
  const ref = 'refs/heads/side';
  await pushRef(mirror, { ref, to: base, expected: 'none' });
  await expect(pushRef(mirror, { ref, to: next, expected: 'none' })).rejects.toThrow(RefMoved);
  await expect(pushRef(mirror, { ref, to: next, expected: { commit: next } })).rejects.toThrow(RefMoved);
  expect(await remoteRef(mirror, ref)).toBe(base);
  await pushRef(mirror, { ref, to: next, expected: { commit: base } });
  expect(await remoteRef(mirror, ref)).toBe(next);
  await pushRef(mirror, { ref, to: null, expected: 'any' });
  await pushRef(mirror, { ref, to: null, expected: 'any' });
  expect(await remoteRef(mirror, ref)).toBeNull();
});

test('restored paths are as they were, all else stays as it became', async () => {
  const { user, base, mirror } = await mirrored();
  userGit(user, 'rm', '-r', '--quiet', 'kept');
  const commit = commitAsUser(user, { kept: 'a file in the place of the folder', 'a.txt': 'changed\n' }, 'Change');
  await fetchOrigin(mirror, null);
  const restored = await restorePaths(mirror, { commit, base, pathspecs: ['kept'] });
  expect(restored.changed).toEqual(['kept', 'kept/b.txt']);
  const { stat } = await diffOf(mirror, base, restored.commit, 10_000);
  expect(stat).toEqual({ files: 1, insertions: 1, deletions: 1 });
  const untouched = await restorePaths(mirror, { commit, base, pathspecs: ['*.md'] });
  expect(untouched).toEqual({ commit, changed: [] });
});

test('hooks of the machine do not run, and a failure shows no password', async () => {
  const { mirror, folder } = await mirrored();
  const failing = git(['fetch', '--', 'https://user:secret@127.0.0.1:1/x.git'], { cwd: mirror.gitFolder });
  const error: unknown = await failing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(GitFailure);
  expect(JSON.stringify([error, String(error), (error as GitFailure).command])).not.toContain('secret');
  const hooks = (await git(['config', 'core.hooksPath'], { cwd: folder })).stdout.toString().trim();
  expect(hooks).toBe('/dev/null');
});

test('what is no commit is not taken for one that is missing', async () => {
  const { user, base, mirror } = await mirrored();
  userGit(user, 'tag', '--annotate', '--message', 'A release', 'v1');
  const tag = userGit(user, 'rev-parse', 'v1');
  const whyNot = (id: string) => whyNotInOrigin(mirror, newId(), id);
  expect(await whyNot(base)).toBeNull();
  expect(await whyNot(tag)).toBe(`${tag} is a tag, and no commit: name the commit by its own id`);
  expect(await whyNot('1'.repeat(40))).toContain('is not in the origin: push it');
});
