import { z } from 'zod';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { diffStat } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import {
  branchHead,
  changedFiles,
  ensureCommits,
  fetchOrigin,
  fetchResults,
  isAncestor,
  resolveRef,
} from '../git/commits.ts';
import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { branchRef, resultRef, runRefs, taskRefs, type Run } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { inRun } from '../run-component.ts';
import { codeComponent, type CodeAttempt } from './code-component.ts';
import { recordedBase, withProtectedPaths } from './validate.ts';

/** What a published branch changes, as it is told to people. */
const change = diffStat.extend({ paths: z.array(z.string()) });
/** Of the files, the first by name. */
const MOST_PATHS = 5;
const PATH_LENGTH = 200;

/**
 * Puts the commit on a branch of the origin, with protected paths as they are in the base: what runs there by itself (CI
 * definitions) is nobody's who was not judged. A branch with other people's commits is left alone.
 */
export const publish = codeComponent({
  request: inRun.extend({ commit: z.string(), branch: z.string(), base: recordedBase }),
  /** The commit that the branch names now. */
  result: z.object({ branch: z.string(), commit: z.string(), change: change.optional() }),
  act: async (request, code) => {
    const { repository, mirror, signal } = code;
    const { taskId, branch } = request;
    const ref = branchRef(branch);
    if (branch === repository.baseBranch) return refuse('publish', `"${branch}" is the base branch`);
    await fetchOrigin(mirror, null, signal);
    await ensureCommits(mirror, taskId, [request.commit], signal);
    const commit = await withProtectedPaths(code, taskId, request.commit, request.base);
    const now = await branchHead(mirror, branch);
    if (now !== null && now !== commit && !(await isOfTask(code, taskId, now)))
      // Of no commit of ours: none that takes its place would fare better.
      throw new ComponentFailure(
        failureOf('publish', `branch "${branch}" has commits that are not of this task (${now}): move it away`),
        { retryable: false, fault: 'origin' },
      );
    const kept = resultRef(request, publishedLabel(commit));
    await pushRef(mirror, { ref: kept, to: commit, expected: 'any', signal });
    if (now !== commit)
      await pushRef(mirror, { ref, to: commit, expected: now === null ? 'none' : { commit: now }, signal });
    return {
      branch,
      commit,
      ...(request.base !== undefined && { change: await changeOf(code, request.base, commit) }),
    };
  },
});

async function changeOf(
  { mirror, secrets }: CodeAttempt,
  base: string,
  commit: string,
): Promise<z.infer<typeof change>> {
  const { paths, ...stat } = await changedFiles(mirror, base, commit);
  return { ...stat, paths: paths.slice(0, MOST_PATHS).map((path) => foreignText(secrets.text(path), PATH_LENGTH)) };
}

/** `kept`: people or another run of the task put commits of their own on it. */
const unpublishResult = z.object({ outcome: z.enum(['deleted', 'absent', 'kept']) });

/**
 * Deletes the branch that was published, where branches are not kept. One that is gone is done; one with the commits of other people
 * or of a later run stays.
 */
export const unpublish = codeComponent({
  request: inRun.extend({ branch: z.string() }),
  result: unpublishResult,
  act: async (request, { environment, repository, mirror, signal }): Promise<z.infer<typeof unpublishResult>> => {
    const { taskId, branch } = request;
    if (environment.configuration.retention?.branches === 'keep') return { outcome: 'kept' };
    if (branch === repository.baseBranch) return refuse('unpublish', `"${branch}" is the base branch`);
    await fetchOrigin(mirror, null, signal);
    const now = await branchHead(mirror, branch);
    if (now === null) return { outcome: 'absent' };
    await fetchResults(mirror, taskId, signal);
    if (!(await isOfRun(mirror, request, now))) return { outcome: 'kept' };
    await pushRef(mirror, { ref: branchRef(branch), to: null, expected: { commit: now }, signal });
    return { outcome: 'deleted' };
  },
});

/** The ref that keeps a published commit of a run, so that its branch can be told from a person's later. */
const publishedLabel = (commit: string): string => `published-${commit.slice(0, 12)}`;

async function isOfTask({ mirror, signal }: CodeAttempt, taskId: string, head: string): Promise<boolean> {
  await fetchResults(mirror, taskId, signal);
  return isWithin(mirror, taskRefs(taskId), head);
}

/** Whether a commit lies in the history of a ref below `prefix`: then all of it was made there. Needs fetched refs. */
async function isWithin(mirror: Mirror, prefix: string, head: string): Promise<boolean> {
  for (const ref of await refsBelow(mirror, prefix)) {
    const result = await resolveRef(mirror, ref);
    if (result !== null && (await isAncestor(mirror, head, result))) return true;
  }
  return false;
}

/**
 * Whether a branch's head came from this run and no later run published the same: only then may the run delete it. Ids of runs grow
 * with time.
 */
async function isOfRun(mirror: Mirror, run: Run, head: string): Promise<boolean> {
  const label = publishedLabel(head);
  const published = (await refsBelow(mirror, taskRefs(run.taskId))).filter((ref) => ref.endsWith(`/${label}`));
  if (published.some((ref) => ref > resultRef(run, label))) return false;
  return isWithin(mirror, runRefs(run), head);
}

async function refsBelow(mirror: Mirror, prefix: string): Promise<string[]> {
  const { stdout } = await git(['for-each-ref', '--format=%(refname)', '--', `${prefix}/`], { cwd: mirror.gitFolder });
  return stdout.toString('utf8').split('\n').filter(Boolean);
}
