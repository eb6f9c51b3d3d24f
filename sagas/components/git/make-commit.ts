import { randomBytes } from 'node:crypto';
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { changedEntries } from './commits.ts';
import { git, gitText } from './git.ts';
import { inWorktree, type Mirror, type Worktree } from './mirror.ts';
import { asCommit } from './names.ts';

/** What the worktree became is no change that can be taken. `message` says why. */
export class UnusableChange extends Error {
  override name = 'UnusableChange';
}

/**
 * Everything in the worktree as one commit on top of its HEAD (which may have moved: a program may commit by itself).
 * Works with an index of its own, so that nothing done to the worktree's index counts. Ignored files stay out.
 * @param maxBytes of new and changed files together
 * @returns the commit; HEAD itself when nothing is left to commit
 * @throws UnusableChange
 */
export async function commitAll(
  worktree: Worktree,
  options: { message: string; maxBytes: number; signal?: AbortSignal },
): Promise<string> {
  const index = join(worktree.gitFolder, 'workledger-index');
  const at = { cwd: worktree.path, environment: inWorktree(worktree, index), signal: options.signal };
  const head = await gitText(['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}'], at);
  await git(['read-tree', head], at);
  await git(['update-index', '-q', '--refresh'], { ...at, allow: [0, 1] });
  await checkSize(worktree, at, options.maxBytes);
  await git(['add', '--all', '--', '.'], at);
  const tree = await gitText(['write-tree'], at);
  if (tree === (await gitText(['rev-parse', '--verify', `${head}^{tree}`], at))) return asCommit(head);
  return gitText(['commit-tree', tree, '-p', head, '-F', '-'], { ...at, stdin: options.message });
}

async function checkSize(worktree: Worktree, at: Parameters<typeof git>[1], maxBytes: number): Promise<void> {
  const { stdout } = await git(['ls-files', '-z', '--others', '--modified', '--exclude-standard'], at);
  let size = 0;
  for (const path of stdout.toString('utf8').split('\0').filter(Boolean)) {
    if (path.endsWith('/')) throw new UnusableChange(`${path} is a git repository inside the repository: remove it`);
    size += await lstat(join(worktree.path, path)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    );
    if (size > maxBytes)
      throw new UnusableChange(
        `new and changed files are over ${maxBytes} bytes, up to ${path}: ignore or remove them`,
      );
  }
}

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

export type Rebased = { readonly commit: string } | { readonly conflict: string };

/** Replays from..to onto another commit inside a worktree that stands at `to`. @throws GitFailure */
export async function rebaseOnto(
  worktree: Worktree,
  options: { from: string; onto: string; signal?: AbortSignal },
): Promise<Rebased> {
  const at = { cwd: worktree.path, environment: inWorktree(worktree), signal: options.signal };
  const args = ['rebase', '--quiet', '--no-autosquash', '--empty=drop', '--onto', asCommit(options.onto)];
  const { exitCode, stdout, stderr } = await git([...args, asCommit(options.from)], { ...at, allow: [0, 1] });
  if (exitCode === 0) return { commit: await gitText(['rev-parse', '--verify', 'HEAD'], at) };
  const files = await gitText(['diff', '--name-only', '--diff-filter=U'], at);
  await git(['rebase', '--abort'], { ...at, allow: [0, 1, 128] });
  const said = `${stdout.toString('utf8')}\n${stderr}`.split('\n').filter((line) => /CONFLICT|error:/.test(line));
  return { conflict: [files === '' ? 'conflict' : `conflict in ${files.split('\n').join(', ')}`, ...said].join('\n') };
}
