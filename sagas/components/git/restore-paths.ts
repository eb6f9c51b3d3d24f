import { join } from 'node:path';
import { rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { git, gitText } from './git.ts';
import { changedEntries } from './diff.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/**
 * A commit like `commit`, but with everything under these pathspecs as it was in `base`: changed and deleted files
 * come back, added ones go. Built from trees alone, so that no file on disk (a planted link) can mislead it.
 * @returns the commit (itself when nothing differs) and the paths that differed
 * @throws GitFailure for instance for a pathspec that git does not understand
 */
export async function restorePaths(
  mirror: Mirror,
  options: { commit: string; base: string; pathspecs: readonly string[]; signal?: AbortSignal },
): Promise<{ commit: string; changed: readonly string[] }> {
  const { commit, base, pathspecs } = options;
  if (pathspecs.length === 0) return { commit: asCommit(commit), changed: [] };
  const entries = await changedEntries(mirror, base, commit, pathspecs);
  if (entries.length === 0) return { commit: asCommit(commit), changed: [] };

  const index = join(mirror.gitFolder, `workledger-index-${randomBytes(6).toString('hex')}`);
  const at = { cwd: mirror.gitFolder, environment: { GIT_INDEX_FILE: index }, signal: options.signal };
  try {
    await git(['read-tree', asCommit(commit)], at);
    const removed = entries.filter(({ before }) => before === null).map(({ path }) => `0 ${'0'.repeat(40)}\t${path}\0`);
    const restored = entries.flatMap(({ path, before }) =>
      before === null ? [] : [`${before.mode} ${before.object}\t${path}\0`],
    );
    await git(['update-index', '--replace', '-z', '--index-info'], {
      ...at,
      stdin: [...removed, ...restored].join(''),
    });
    const tree = await gitText(['write-tree'], at);
    const message = `Restore protected paths from ${base}\n`;
    const result = await gitText(['commit-tree', tree, '-p', commit, '-F', '-'], { ...at, stdin: message });
    return { commit: result, changed: entries.map(({ path }) => path) };
  } finally {
    await rm(index, { force: true });
  }
}
