import type { DiffStat } from '@workledger/shared/contexts/values.ts';
import { despiteLocks, git, gitText, inTurn } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit, remoteBranchRef, taskRefs } from './names.ts';

/** The commit a ref of the mirror names; null when there is none. */
export async function resolveRef(mirror: Mirror, ref: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  const { exitCode, stdout } = await git(args, { cwd: mirror.gitFolder, allow: [0, 1] });
  return exitCode === 0 ? stdout.toString('utf8').trim() : null;
}

/** The origin's branch as fetched last; null when there is none. */
export const branchHead = (mirror: Mirror, branch: string): Promise<string | null> =>
  resolveRef(mirror, remoteBranchRef(branch));

export async function hasCommit(mirror: Mirror, commit: string): Promise<boolean> {
  const { exitCode } = await git(['cat-file', '-e', `${asCommit(commit)}^{commit}`], {
    cwd: mirror.gitFolder,
    allow: [0, 1, 128],
  });
  return exitCode === 0;
}

/** Makes sure that the mirror has these commits, fetching only when one is missing. @throws GitFailure */
export async function ensureCommits(
  mirror: Mirror,
  taskId: string,
  commits: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const missing = async (): Promise<string[]> => {
    const found = await Promise.all(commits.map((commit) => hasCommit(mirror, commit)));
    return commits.filter((_, index) => found[index] === false);
  };
  if ((await missing()).length === 0) return;
  await fetchOrigin(mirror, taskId, signal);
  for (const commit of await missing()) await fetchCommit(mirror, commit, signal);
}

/** Whether `ancestor` is `descendant` or lies in its history. */
export async function isAncestor(mirror: Mirror, ancestor: string, descendant: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', asCommit(ancestor), asCommit(descendant)];
  return (await git(args, { cwd: mirror.gitFolder, allow: [0, 1] })).exitCode === 0;
}

/** The newest commit that both have in their history; null when they share none. */
export async function mergeBase(mirror: Mirror, one: string, other: string): Promise<string | null> {
  const args = ['merge-base', asCommit(one), asCommit(other)];
  const { exitCode, stdout } = await git(args, { cwd: mirror.gitFolder, allow: [0, 1] });
  return exitCode === 0 ? (stdout.toString('utf8').trim().split('\n')[0] ?? null) : null;
}

/** The id of the tree of a commit. */
export const treeOf = (mirror: Mirror, commit: string): Promise<string> =>
  gitText(['rev-parse', '--verify', `${asCommit(commit)}^{tree}`], { cwd: mirror.gitFolder });

/** Brings the origin's branches and, of one task, its results into the mirror; what is gone there goes here. @throws GitFailure */
export async function fetchOrigin(mirror: Mirror, taskId: string | null, signal?: AbortSignal): Promise<void> {
  const results = taskId === null ? [] : [`+${taskRefs(taskId)}/*:${taskRefs(taskId)}/*`];
  const args = ['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--', mirror.url];
  await inTurn(mirror.gitFolder, () =>
    despiteLocks(() =>
      git([...args, '+refs/heads/*:refs/remotes/origin/*', ...results], { cwd: mirror.gitFolder, signal }),
    ),
  );
}

/** Fetches one commit by its id, where the origin allows that. @throws GitFailure */
async function fetchCommit(mirror: Mirror, commit: string, signal?: AbortSignal): Promise<void> {
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', mirror.url, commit];
  await inTurn(mirror.gitFolder, () => despiteLocks(() => git(args, { cwd: mirror.gitFolder, signal })));
}

const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'];

/** The change between two commits as a patch that `git apply` takes. @param maxBytes more is a GitFailure */
export async function diffText(mirror: Mirror, from: string, to: string, maxBytes: number): Promise<Buffer> {
  const args = ['diff', ...PLAIN, '--binary', '--src-prefix=a/', '--dst-prefix=b/', asCommit(from), asCommit(to), '--'];
  return (await git(args, { cwd: mirror.gitFolder, maxOutputBytes: 2 * maxBytes })).stdout;
}

/** Files and lines changed between two commits; a binary file counts no lines. */
export async function diffStat(mirror: Mirror, from: string, to: string): Promise<DiffStat> {
  const args = ['diff', ...PLAIN, '--numstat', '-z', asCommit(from), asCommit(to), '--'];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const rows = stdout.toString('utf8').split('\0').filter(Boolean);
  const counts = rows.map((row) => row.split('\t', 2).map((count) => (count === '-' ? 0 : Number(count))));
  const sum = (column: number): number => counts.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { files: rows.length, insertions: sum(0), deletions: sum(1) };
}

type Entry = { readonly mode: string; readonly object: string };
export type ChangedEntry = { readonly path: string; readonly before: Entry | null; readonly after: Entry | null };

/** Entries that differ between two commits; limited to git pathspecs, when there are some. */
export async function changedEntries(
  mirror: Mirror,
  from: string,
  to: string,
  pathspecs: readonly string[] = [],
): Promise<ChangedEntry[]> {
  const args = ['diff', '--raw', '-z', '--no-abbrev', ...PLAIN, asCommit(from), asCommit(to), '--', ...pathspecs];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const parts = stdout.toString('utf8').split('\0');
  const entries: ChangedEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [modeBefore, modeAfter, before, after] = (parts[at] ?? '').slice(1).split(' ');
    entries.push({ path: parts[at + 1] ?? '', before: entry(modeBefore, before), after: entry(modeAfter, after) });
  }
  return entries;
}

const entry = (mode: string | undefined, object: string | undefined): Entry | null =>
  mode === undefined || object === undefined || mode === '000000' ? null : { mode, object };
