import { isAncestor, resolveRef } from '../git/commits.ts';
import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { resultRef, runRefs, taskRefs, type Run } from '../git/names.ts';

/** The ref that keeps a published commit of a run, so that its branch can be told from a person's later. */
export const publishedLabel = (commit: string): string => `published-${commit.slice(0, 12)}`;

/** Whether a commit lies in the history of a ref below `prefix`: then all of it was made there. Needs fetched refs. */
export async function isWithin(mirror: Mirror, prefix: string, head: string): Promise<boolean> {
  for (const ref of await refsBelow(mirror, prefix)) {
    const result = await resolveRef(mirror, ref);
    if (result !== null && (await isAncestor(mirror, head, result))) return true;
  }
  return false;
}

/** Whether a branch's head came from this run and no other run published the same: only then may the run delete it. */
export async function isOfRun(mirror: Mirror, run: Run, head: string): Promise<boolean> {
  const label = publishedLabel(head);
  const published = (await refsBelow(mirror, taskRefs(run.taskId))).filter((ref) => ref.endsWith(`/${label}`));
  if (published.some((ref) => ref !== resultRef(run, label))) return false;
  return isWithin(mirror, runRefs(run), head);
}

async function refsBelow(mirror: Mirror, prefix: string): Promise<string[]> {
  const { stdout } = await git(['for-each-ref', '--format=%(refname)', '--', `${prefix}/`], { cwd: mirror.gitFolder });
  return stdout.toString('utf8').split('\n').filter(Boolean);
}
