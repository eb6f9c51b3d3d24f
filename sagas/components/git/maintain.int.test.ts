import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { commitAsUser, createUserRepository, git as userGit } from '@workledger/infra/testing/repository/git.ts';
import { fetchOrigin, hasCommit, resolveRef } from './commits.ts';
import { maintain } from './maintain.ts';
import { openMirror } from './mirror.ts';

const DAY = 86_400_000;
const TASK = '0190f3c1-0000-7000-8000-000000000001';

test('many packs become one; results older than 30 days are forgotten here, and what is lent stays', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-maintain-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const user = join(folder, 'user');
  createUserRepository(user, { 'a.txt': '0' });
  const mirror = await openMirror(join(folder, 'data'), user);
  const packs = () =>
    readdirSync(join(mirror.originFolder, 'objects', 'pack')).filter((name) => name.endsWith('.pack'));
  const [commits, results]: [string[], string[]] = [[], []];
  for (const text of ['1', '2', '3', '4']) {
    commits.push(commitAsUser(user, { 'a.txt': text }, text));
    results.push(userGit(user, 'commit-tree', '-m', `Result ${text}`, '-p', 'HEAD', 'HEAD^{tree}'));
    userGit(user, 'update-ref', `refs/workledger/${TASK}/run/${text}`, results.at(-1) ?? '');
    await fetchOrigin(mirror, TASK);
  }
  userGit(user, 'reset', '--quiet', '--hard', 'HEAD~2');
  await fetchOrigin(mirror, null);
  expect(packs()).toHaveLength(4);
  const after = (days: number, most = 3) =>
    maintain(mirror, undefined, { packs: most, now: () => Date.now() + days * DAY });
  await after(0);
  expect(packs()).toHaveLength(1);
  // The branch went back: what it held before may be borrowed still.
  expect(await Promise.all(commits.map((commit) => hasCommit(mirror, commit)))).toEqual([true, true, true, true]);
  const last = `refs/workledger/${TASK}/run/4`;
  expect(await resolveRef(mirror, last)).toBe(results[3]);
  await after(31, 0);
  expect(await resolveRef(mirror, last)).toBeNull();
});
