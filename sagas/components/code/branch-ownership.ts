import { isAncestor, resolveRef } from '../git/commits.ts';
import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { taskRefs } from '../git/names.ts';

/** The ref that keeps a published commit of a task, so that its branch can be told from a person's later. */
export const publishedLabel = (commit: string): string => `published-${commit.slice(0, 12)}`;

/** Whether all of a branch's commits came from this task: only then may it be moved or deleted. Needs fetched refs. */
export async function isOurs(mirror: Mirror, taskId: string, head: string): Promise<boolean> {
  const args = ['for-each-ref', '--format=%(refname)', '--', `${taskRefs(taskId)}/`];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  for (const ref of stdout.toString('utf8').split('\n').filter(Boolean)) {
    const result = await resolveRef(mirror, ref);
    if (result !== null && (await isAncestor(mirror, head, result))) return true;
  }
  return false;
}
