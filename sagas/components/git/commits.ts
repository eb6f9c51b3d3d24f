import { git, gitText } from './git.ts';
import { fetchCommit, fetchOrigin } from './fetch.ts';
import type { Mirror } from './mirror.ts';
import { asCommit, remoteBranchRef } from './names.ts';

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
