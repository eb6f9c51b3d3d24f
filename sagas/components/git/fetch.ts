import { despiteLocks } from './despite-locks.ts';
import { git } from './git.ts';
import { inTurn } from './in-turn.ts';
import type { Mirror } from './mirror.ts';
import { taskRefs } from './names.ts';

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
export async function fetchCommit(mirror: Mirror, commit: string, signal?: AbortSignal): Promise<void> {
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', mirror.url, commit];
  await inTurn(mirror.gitFolder, () => despiteLocks(() => git(args, { cwd: mirror.gitFolder, signal })));
}
