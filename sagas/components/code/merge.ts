import { z } from 'zod';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import { branchHead, changedEntries, ensureCommits, fetchOrigin, isAncestor } from '../git/commits.ts';
import { GitFailure } from '../git/git.ts';
import { rebaseOnto } from '../git/make-commit.ts';
import { branchRef, resultOf } from '../git/names.ts';
import { protectedPathsOf } from '../git/protected-paths.ts';
import { pushRef, RefMoved } from '../git/push.ts';
import { inRun } from '../run-component.ts';
import { codeComponent, type CodeAttempt } from './attempt.ts';

const mergeRequest = inRun.extend({ commit: z.string(), base: z.string() });
const mergeResult = z.object({ outcome: z.enum(['merged', 'base-moved']), commit: z.string(), base: z.string() });
type MergeRequest = z.infer<typeof mergeRequest>;
type MergeResult = z.infer<typeof mergeResult>;

/** Moves the base branch forward to the commit, only if it still is where the work was judged. Already there: merged. */
export const merge = codeComponent({
  request: mergeRequest,
  result: mergeResult,
  act: async (request, code): Promise<MergeResult> => {
    const { repository, mirror, signal } = code;
    const { commit, base } = request;
    if (repository.merge !== 'fast-forward')
      return refuse('merge', `repository "${repository.name}" is registered with "merge": "${repository.merge}"`);
    await fetchOrigin(mirror, request.taskId, signal);
    await ensureCommits(mirror, request.taskId, [commit, base], signal);
    const now = await branchHead(mirror, repository.baseBranch);
    if (now === null) return refuse('merge', `repository "${repository.name}" lost branch "${repository.baseBranch}"`);
    if (await isAncestor(mirror, commit, now)) return { outcome: 'merged', commit, base };
    if (now !== base) return { outcome: 'base-moved', commit, base: now };
    if (!(await isAncestor(mirror, base, commit)))
      return refuse('merge', `${commit} does not descend from ${base}: no fast-forward`);
    await refuseProtectedChanges(code, request);
    return (await forward(code, request)) ? { outcome: 'merged', commit, base } : moved(code, request);
  },
});

/** The tests judged the work with these paths as they are in the base: with its own they judged nothing. */
async function refuseProtectedChanges({ repository, mirror }: CodeAttempt, request: MergeRequest): Promise<void> {
  const protectedPaths = protectedPathsOf(repository);
  if (protectedPaths.length === 0) return;
  const [changed] = await changedEntries(mirror, request.base, request.commit, protectedPaths);
  if (changed === undefined) return;
  refuse('merge', `the work changes ${changed.path}, which is protected: a person must look at it and merge it`);
}

async function forward(code: CodeAttempt, { commit, base }: MergeRequest): Promise<boolean> {
  const { baseBranch } = code.repository;
  const change = { ref: branchRef(baseBranch), to: commit, expected: { commit: base }, signal: code.signal };
  try {
    await pushRef(code.mirror, change);
    return true;
  } catch (error) {
    if (error instanceof RefMoved) return false;
    if (!(error instanceof GitFailure)) throw error;
    if (!/\[remote rejected\]|refusing to update checked out branch/.test(error.stderr + error.message)) throw error;
    const reason = /checked out/.test(error.stderr)
      ? `"${baseBranch}" is checked out in the origin, git does not move it: use a bare repository or "merge": "never"`
      : `the origin refuses to move "${baseBranch}"`;
    const { command, exitCode, stderr } = error;
    const failure = failureOf('merge', reason, { command, exitCode, output: stderr });
    throw new ComponentFailure(failure, { retryable: false, fault: 'work', cause: error });
  }
}

async function moved(code: CodeAttempt, request: MergeRequest): Promise<MergeResult> {
  await fetchOrigin(code.mirror, request.taskId, code.signal);
  const now = await branchHead(code.mirror, code.repository.baseBranch);
  return { outcome: 'base-moved', commit: request.commit, base: now ?? request.base };
}

const rebaseResult = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.literal('rebased'), commit: z.string(), base: z.string() }),
  z.object({ outcome: z.literal('conflict'), base: z.string(), detail: z.string() }),
]);

/** Replays base..commit onto the base branch as it is now and leaves the result in the origin. */
export const rebase = codeComponent({
  request: inRun.extend({ commit: z.string(), base: z.string(), label: z.string() }),
  result: rebaseResult,
  act: async (request, code): Promise<z.infer<typeof rebaseResult>> => {
    const { repository, mirror, signal } = code;
    const { taskId, commit, base, label } = request;
    await fetchOrigin(mirror, taskId, signal);
    await ensureCommits(mirror, taskId, [commit, base], signal);
    const onto = await branchHead(mirror, repository.baseBranch);
    if (onto === null) return refuse('rebase', `repository has no branch "${repository.baseBranch}"`);
    const result = (await isAncestor(mirror, onto, commit))
      ? { commit }
      : await rebaseOnto(await code.checkout('rebase', commit), { from: base, onto, signal });
    if ('conflict' in result) return { outcome: 'conflict', base: onto, detail: result.conflict.slice(0, 4_000) };
    const ref = resultOf(request, label, result.commit);
    await pushRef(mirror, { ref, to: result.commit, expected: 'any', signal });
    return { outcome: 'rebased', commit: result.commit, base: onto };
  },
});
