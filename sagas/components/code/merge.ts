import { z } from 'zod';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import { artefact, type ArtefactReference } from '@workledger/shared/contexts/values.ts';
import { refuse } from '../failures.ts';
import {
  branchHead,
  changedEntries,
  diffText,
  ensureCommits,
  fetchOrigin,
  isAncestor,
  isSamePatch,
} from '../git/commits.ts';
import { gitText } from '../git/git.ts';
import { rebaseOnto, squashOnto } from '../git/make-commit.ts';
import { asCommit, branchRef, resultOf } from '../git/names.ts';
import { protectedPathsOf } from '../git/protected-paths.ts';
import { pushRef, RefMoved } from '../git/push.ts';
import { treeOf } from '../git/trees.ts';
import { inRun } from '../run-component.ts';
import { codeComponent, type CodeAttempt } from './code-component.ts';
import { MAX_CHANGE_BYTES } from './change.ts';

const mergeRequest = inRun.extend({ commit: z.string(), base: z.string() });
/** `commit` is what the base branch has then: for `squash` another one than was judged, of the same tree. */
const mergeResult = z.object({ outcome: z.enum(['merged', 'base-moved']), commit: z.string(), base: z.string() });
type MergeRequest = z.infer<typeof mergeRequest>;
type MergeResult = z.infer<typeof mergeResult>;

/**
 * Moves the base branch forward to the commit, or to one commit of its tree, as registered: only if it still is where the work was judged.
 * Already there: merged.
 */
export const merge = codeComponent({
  request: mergeRequest,
  result: mergeResult,
  act: async (request, code): Promise<MergeResult> => {
    const { repository, mirror } = code;
    const { commit, base } = request;
    if (repository.merge === 'never' || repository.merge === 'pull-request')
      return refuse('merge', `repository "${repository.name}" is registered with "merge": "${repository.merge}"`);
    const found = await lookFor(code, request);
    if (found.outcome === 'merged' || found.base !== base) return found;
    if (!(await isAncestor(mirror, base, commit)))
      return refuse('merge', `${commit} does not descend from ${base}: no fast-forward`);
    await refuseProtectedChanges(code, request);
    const landing = repository.merge === 'squash' ? await squash(code, request) : commit;
    return (await forward(code, { base, landing }))
      ? { outcome: 'merged', commit: landing, base }
      : lookFor(code, request);
  },
});

/** Whether an earlier try moved it there, whatever became of its answer; nothing is moved. */
export const landed = codeComponent({
  request: mergeRequest,
  result: mergeResult,
  act: (request, code) => lookFor(code, request),
});

/** @returns `base-moved` with the base branch as it is now, where the work is not on it */
async function lookFor(code: CodeAttempt, request: MergeRequest): Promise<MergeResult> {
  const { repository, mirror, signal } = code;
  const { commit, base } = request;
  await fetchOrigin(mirror, null, signal);
  await ensureCommits(mirror, request.taskId, [commit, base], signal);
  const now = await branchHead(mirror, repository.baseBranch);
  if (now === null) return refuse('merge', `repository "${repository.name}" lost branch "${repository.baseBranch}"`);
  if (await isAncestor(mirror, commit, now)) return { outcome: 'merged', commit, base };
  const squashed = repository.merge === 'squash' && now !== base ? await squashedBefore(code, request, now) : null;
  return squashed === null
    ? { outcome: 'base-moved', commit, base: now }
    : { outcome: 'merged', commit: squashed, base };
}

/** The tests judged the work with these paths as they are in the base: with its own they judged nothing. */
async function refuseProtectedChanges({ repository, mirror }: CodeAttempt, request: MergeRequest): Promise<void> {
  const protectedPaths = protectedPathsOf(repository);
  if (protectedPaths.length === 0) return;
  const [changed] = await changedEntries(mirror, request.base, request.commit, protectedPaths);
  if (changed === undefined) return;
  refuse('merge', `the work changes ${changed.path}, which is protected: a person must look at it and merge it`);
}

async function forward(
  code: CodeAttempt,
  { landing, base }: { readonly landing: string; readonly base: string },
): Promise<boolean> {
  const { baseBranch } = code.repository;
  const change = { ref: branchRef(baseBranch), to: landing, expected: { commit: base }, signal: code.signal };
  try {
    await pushRef(code.mirror, change);
    return true;
  } catch (error) {
    if (error instanceof RefMoved) return false;
    throw error;
  }
}

const PARAGRAPH_LENGTH = 2_000;

/** The judged tree as one commit on the base; nothing new to land: the base itself. */
async function squash(code: CodeAttempt, { taskId, commit, base }: MergeRequest): Promise<string> {
  const { mirror, signal } = code;
  if ((await treeOf(mirror, commit)) === (await treeOf(mirror, base))) return base;
  const { title, description } = await code.environment.readTask(taskId);
  const [first = ''] = description.trim().split(/\n\s*\n/);
  const subject = title.replaceAll(/\s+/g, ' ').trim().slice(0, 200).toWellFormed();
  const body = first.slice(0, PARAGRAPH_LENGTH).trimEnd().toWellFormed();
  const message = `${[subject, body, trailerOf(taskId)].filter((part) => part !== '').join('\n\n')}\n`;
  return squashOnto(mirror, { commit, base, message, signal });
}

const trailerOf = (taskId: string): string => `Task: ${taskId}`;

/**
 * The commit that an earlier try landed, when its answer was lost: the next one on the base, of the judged tree and for this task. By its
 * id it could not be told: the task's words may have been changed since.
 */
async function squashedBefore(
  { mirror, signal }: CodeAttempt,
  { taskId, commit, base }: MergeRequest,
  now: string,
): Promise<string | null> {
  const at = { cwd: mirror.gitFolder, signal };
  const since = await gitText(['rev-list', '--first-parent', `${asCommit(base)}..${asCommit(now)}`], at);
  const next = since.split('\n').at(-1) ?? '';
  if (next === '') return null;
  const told = await gitText(['show', '--no-patch', '--format=%P%n%T%n%B', asCommit(next)], at);
  const [parents, tree, ...message] = told.split('\n');
  const isOurs = parents === base && tree === (await treeOf(mirror, commit)) && message.includes(trailerOf(taskId));
  return isOurs ? next : null;
}

const rebaseResult = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('rebased'),
    commit: z.string(),
    base: z.string(),
    /** It changes the same lines in the same surroundings; results of before do not tell it. */
    samePatch: z.boolean().optional(),
  }),
  z.object({
    outcome: z.literal('conflict'),
    base: z.string(),
    detail: z.string(),
    /** The work's own change, then the conflicts as git marks them; results of before have none. */
    report: artefact.optional(),
  }),
]);

/** Replays base..commit onto the base branch as it is now and leaves the result in the origin. */
export const rebase = codeComponent({
  request: inRun.extend({ commit: z.string(), base: z.string(), label: z.string() }),
  result: rebaseResult,
  act: async (request, code): Promise<z.infer<typeof rebaseResult>> => {
    const { repository, mirror, signal } = code;
    const { taskId, commit, base, label } = request;
    await fetchOrigin(mirror, null, signal);
    await ensureCommits(mirror, taskId, [commit, base], signal);
    const onto = await branchHead(mirror, repository.baseBranch);
    if (onto === null) return refuse('rebase', `repository has no branch "${repository.baseBranch}"`);
    const result = (await isAncestor(mirror, onto, commit))
      ? { commit }
      : await rebaseOnto(await code.checkout('rebase', commit), { from: base, onto, signal });
    if ('conflict' in result) {
      const report = await conflictReport(code, request, result.hunks);
      return { outcome: 'conflict', base: onto, detail: foreignText(result.conflict, 4_000), report };
    }
    const ref = resultOf(request, label, result.commit);
    await pushRef(mirror, { ref, to: result.commit, expected: 'any', signal });
    const samePatch = await isSamePatch(mirror, [base, commit], [onto, result.commit]);
    return { outcome: 'rebased', commit: result.commit, base: onto, samePatch };
  },
});

/** What the agent has to do again, and what is in its way; the end of a report is read first. */
async function conflictReport(
  { mirror, environment }: CodeAttempt,
  { commit, base }: MergeRequest,
  hunks: Buffer,
): Promise<ArtefactReference> {
  const change = await diffText(mirror, base, commit, MAX_CHANGE_BYTES);
  const parts = [
    Buffer.from(`the change that was made on ${base}:\n\n`),
    change,
    Buffer.from('\nits conflicts:\n\n'),
    hunks,
  ];
  return environment.artefacts.put(Buffer.concat(parts), 'text/plain; charset=utf-8');
}
