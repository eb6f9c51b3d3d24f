import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { changedEntries, type ChangedEntry } from './commits.ts';
import { git, gitText } from './git.ts';
import { inCheckout, keepCommit, type Checkout } from './checkout.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';
import { committedAt, commitTree, treeOf } from './trees.ts';

const NUL = Buffer.from('\0');

/**
 * A commit like `commit`, but with everything under these pathspecs as it was in `base`: changed and deleted files
 * come back, added ones go. Built from trees alone, so that no file on disk (a planted link) can mislead it.
 * The same commit every time it is asked.
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

  const message = `Restore protected paths from ${base}\n`;
  const result = await commitOn(mirror, { commit, message, signal: options.signal }, async (at) => {
    const none = '0'.repeat(commit.length);
    const line = ({ name, before }: ChangedEntry): Buffer =>
      Buffer.concat([Buffer.from(before === null ? `0 ${none}\t` : `${before.mode} ${before.object}\t`), name, NUL]);
    // What goes, goes first: a file may stand where a folder was.
    const [gone, back] = [true, false].map((absent) => entries.filter(({ before }) => (before === null) === absent));
    const stdin = Buffer.concat([...(gone ?? []), ...(back ?? [])].map(line));
    await git(['update-index', '--replace', '-z', '--index-info'], { ...at, stdin });
  });
  return { commit: result, changed: entries.map(({ path }) => path) };
}

/** Where Git changes an index of its own. */
export type OnIndex = {
  readonly cwd: string;
  readonly environment: Record<string, string>;
  readonly signal: AbortSignal | undefined;
};

/**
 * A commit on another one, whose tree is changed in an index of its own. The same commit every time that the same change is asked for
 * with the same message. @throws GitFailure
 */
export async function commitOn(
  mirror: Mirror,
  {
    commit,
    message,
    signal,
  }: { readonly commit: string; readonly message: string; readonly signal: AbortSignal | undefined },
  change: (at: OnIndex) => Promise<void>,
): Promise<string> {
  const { gitFolder } = mirror;
  const index = join(gitFolder, `workledger-index-${randomBytes(6).toString('hex')}`);
  const at = { cwd: gitFolder, environment: { GIT_INDEX_FILE: index }, signal };
  try {
    await git(['read-tree', asCommit(commit)], at);
    await change(at);
    const tree = await gitText(['write-tree'], at);
    return await commitTree(mirror, { tree, parent: commit, message, at: await committedAt(mirror, commit), signal });
  } finally {
    await rm(index, { force: true });
  }
}

/**
 * One commit on `base` with the tree of `commit`. The same commit every time it is asked with the same message.
 * @param options.message whole, with its last newline
 * @throws GitFailure
 */
export async function squashOnto(
  mirror: Mirror,
  options: { commit: string; base: string; message: string; signal?: AbortSignal },
): Promise<string> {
  const { commit, base, message, signal } = options;
  const tree = await treeOf(mirror, commit);
  const at = await committedAt(mirror, commit);
  return commitTree(mirror, { tree, parent: base, message, at, signal });
}

export type Rebased =
  | { readonly commit: string }
  /** `hunks`: the files in conflict with both sides, as git marks them. */
  | { readonly conflict: string; readonly hunks: Buffer };

/** Bytes of hunks that somebody may still read. */
const HUNK_BYTES = 256 * 1_024;

/** Replays from..to onto another commit inside a checkout that stands at `to`. @throws GitFailure */
export async function rebaseOnto(
  checkout: Checkout,
  options: { from: string; onto: string; signal?: AbortSignal },
): Promise<Rebased> {
  const { signal } = options;
  const at = inCheckout(checkout, signal);
  const args = ['rebase', '--quiet', '--no-autosquash', '--empty=drop', '--onto', asCommit(options.onto)];
  const { exitCode, stdout, stderr } = await git([...args, asCommit(options.from)], { ...at, allow: [0, 1] });
  if (exitCode === 0) {
    const commit = await gitText(['rev-parse', '--verify', 'HEAD'], at);
    await keepCommit(checkout, commit, signal);
    return { commit };
  }
  const files = await gitText(['diff', '--name-only', '--diff-filter=U'], at);
  const said = `${stdout.toString('utf8')}\n${stderr}`.split('\n').filter((line) => /CONFLICT|error:/.test(line));
  const { stdout: hunks } = await git(['diff', '--no-color', '--no-ext-diff', '--no-textconv', '--diff-filter=U'], at);
  return {
    conflict: [files === '' ? 'conflict' : `conflict in ${files.split('\n').join(', ')}`, ...said].join('\n'),
    hunks: hunks.subarray(0, HUNK_BYTES),
  };
}
