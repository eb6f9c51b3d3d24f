import { join } from 'node:path';
import { removeFolder } from '../process/remove-folder.ts';
import { despiteLocks } from './despite-locks.ts';
import { git } from './git.ts';
import { inTurn } from './in-turn.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

export type Worktree = {
  readonly mirror: Mirror;
  /** Where the files are. */
  readonly path: string;
  /** Git's own notes about it, inside the mirror. */
  readonly gitFolder: string;
};

/** Where a worktree of this name will lie; nothing is made yet. The name must be unique on this machine. */
export const worktreeAt = (mirror: Mirror, name: string): Worktree => ({
  mirror,
  path: join(mirror.worktrees, name),
  gitFolder: join(mirror.gitFolder, 'worktrees', name),
});

/** Checks a commit out into a folder of its own, on no branch. @throws GitFailure */
export async function addWorktree(worktree: Worktree, commit: string, signal?: AbortSignal): Promise<void> {
  const { mirror, path } = worktree;
  const args = ['worktree', 'add', '--quiet', '--force', '--detach', '--', path, asCommit(commit)];
  await inTurn(mirror.gitFolder, () => despiteLocks(() => git(args, { cwd: mirror.gitFolder, signal })));
}

/** Removes files and notes; nothing there is fine. */
export async function removeWorktree(worktree: Worktree): Promise<void> {
  await removeFolder(worktree.path);
  await removeFolder(worktree.gitFolder);
}

/** Names the worktree to git from outside: whatever a program did to the `.git` file inside does not count. */
export const inWorktree = (worktree: Worktree, index?: string): Record<string, string> => ({
  GIT_DIR: worktree.gitFolder,
  GIT_COMMON_DIR: worktree.mirror.gitFolder,
  GIT_WORK_TREE: worktree.path,
  ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
});
