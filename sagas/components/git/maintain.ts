import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { despiteLocks, git, inTurn } from './git.ts';
import type { Mirror } from './mirror.ts';

/** A fetch leaves one pack. */
const MANY_PACKS = 50;
const ONCE_IN_MILLISECONDS = 3_600_000;
/** For so long what no ref holds any more is kept: attempts, and the other store, may still borrow it. */
const KEPT_DAYS = 30;

/**
 * Puts many packs into one, and forgets what a task left more than 30 days ago. At most once an hour.
 * @throws GitFailure
 */
export async function maintain(
  mirror: Mirror,
  signal?: AbortSignal,
  limits: { readonly packs: number; readonly now: () => number } = { packs: MANY_PACKS, now: Date.now },
): Promise<void> {
  for (const gitFolder of [mirror.gitFolder, mirror.originFolder])
    await inTurn(gitFolder, async () => {
      if (!(await isDue(gitFolder, limits))) return;
      if (gitFolder === mirror.gitFolder) await forgetOldResults(mirror, limits.now(), signal);
      // Borrowed objects stay where they are, unreachable ones are kept as they are until they are old.
      const expire = `--unpack-unreachable=${KEPT_DAYS}.days.ago`;
      const repack = ['repack', '-A', '-d', '-l', '--quiet', expire];
      await despiteLocks(() => git(repack, { cwd: gitFolder, signal }));
      await git(['prune', `--expire=${KEPT_DAYS}.days.ago`], { cwd: gitFolder, signal });
    });
}

async function isDue(gitFolder: string, { packs, now }: { packs: number; now: () => number }): Promise<boolean> {
  const found = (await readdir(join(gitFolder, 'objects', 'pack'))).filter((name) => name.endsWith('.pack'));
  if (found.length <= packs) return false;
  const note = join(gitFolder, 'workledger-maintained');
  const last = await stat(note).catch(() => null);
  if (last !== null && now() - last.mtimeMs < ONCE_IN_MILLISECONDS) return false;
  await writeFile(note, '');
  await utimes(note, now() / 1_000, now() / 1_000);
  return true;
}

/** Results lie in the origin; here they are a copy, but for those that it refused. */
async function forgetOldResults({ gitFolder }: Mirror, now: number, signal?: AbortSignal): Promise<void> {
  const format = '%(committerdate:unix) %(objectname) %(refname)';
  const patterns = ['refs/workledger/', 'refs/workledger-kept/'];
  const { stdout } = await git(['for-each-ref', `--format=${format}`, ...patterns], { cwd: gitFolder, signal });
  const old = stdout
    .toString('utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' '))
    .filter(([seconds]) => now - Number(seconds) * 1_000 > KEPT_DAYS * 86_400_000);
  if (old.length === 0) return;
  const stdin = old.map(([, commit, ref]) => `delete ${ref} ${commit}\n`).join('');
  await git(['update-ref', '--stdin'], { cwd: gitFolder, stdin, signal });
}
