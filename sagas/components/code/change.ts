import { z } from 'zod';
import { LOOKUP_MILLISECONDS } from '@workledger/shared/commands/origin-lookup.ts';
import { artefact, diffStat, type ArtefactReference, type DiffStat } from '@workledger/shared/contexts/values.ts';
import { repositoryOf } from '../environment.ts';
import { refuse } from '../failures.ts';
import { diffOf, ensureCommits, isAncestor, whyNotInOrigin } from '../git/commits.ts';
import { GitFailure } from '../git/git.ts';
import { resultOf, runRefs, taskRefs } from '../git/names.ts';
import { pushRef, remoteRef } from '../git/push.ts';
import { treeOf } from '../git/trees.ts';
import { defineComponent, inRun, type InRun } from '../run-component.ts';
import { codeComponent, mirrorOf, type CodeAttempt } from './code-component.ts';

/** What changed from base to commit, in all. */
export const diff = codeComponent({
  request: inRun.extend({ commit: z.string(), base: z.string() }),
  result: z.object({ diffStat, diff: artefact }),
  act: async ({ taskId, commit, base }, code) => {
    await ensureCommits(code.mirror, taskId, [commit, base], code.signal);
    return storeDiff(code, 'diff', base, commit);
  },
});

/** Checks a commit that a remote agent left in the origin: it is there, descends from the base and changes something. Kept for the run. */
export const inspect = codeComponent({
  request: diff.request,
  result: diff.result,
  act: async (request, code) => {
    const { mirror, signal } = code;
    const { taskId, commit, base } = request;
    const absent = await whyNotInOrigin(mirror, taskId, commit, signal);
    if (absent !== null) return refuse('inspect', absent);
    await ensureCommits(mirror, taskId, [base], signal);
    if (!(await isAncestor(mirror, base, commit)))
      return refuse('inspect', `commit ${commit} does not descend from ${base}, where the work started`);
    if ((await treeOf(mirror, base)) === (await treeOf(mirror, commit)))
      return refuse('inspect', `commit ${commit} changes nothing`);
    const ref = resultOf(request, 'inspected', commit);
    await pushRef(mirror, { ref, to: commit, expected: 'any', signal }).catch((error: unknown) =>
      throwNamed(code, request, error),
    );
    return storeDiff(code, 'inspect', base, commit);
  },
});

/** Asks the origin for a commit that is about to be submitted: in words why it cannot be taken, or null. */
export const lookup = defineComponent({
  request: inRun.extend({ commit: z.string() }),
  result: z.object({ absent: z.string().nullable() }),
  // People wait for it: it takes no turn of the steps.
  limits: { turns: { atOnce: () => 8 }, seconds: () => LOOKUP_MILLISECONDS / 1_000 },
  perform: async ({ taskId, commit, repository }, { environment, step, signal }) => {
    const mirror = await mirrorOf(environment, repositoryOf(environment, step, repository), signal);
    return { absent: await whyNotInOrigin(mirror, taskId, commit, signal) };
  },
});

/** Git keeps refs like files: one that is named like a folder of Workledger's leaves no room for those in it. @throws always */
async function throwNamed({ mirror, signal }: CodeAttempt, run: InRun, error: unknown): Promise<never> {
  if (!(error instanceof GitFailure)) throw error;
  for (const ref of [taskRefs(run.taskId), runRefs(run)])
    if ((await remoteRef(mirror, ref, signal)) !== null)
      return refuse(
        'inspect',
        `push it to another name than ${ref}, and delete that one: Workledger keeps its own refs below it`,
        error,
      );
  throw error;
}

/** Bytes of one change, as files and as a patch. */
export const MAX_CHANGE_BYTES = 50_000_000;

/** Keeps the change between two commits in the artefact store. @throws ComponentFailure when it is too large */
export async function storeDiff(
  code: CodeAttempt,
  step: string,
  from: string,
  to: string,
): Promise<{ diffStat: DiffStat; diff: ArtefactReference }> {
  const { patch, stat } = await diffOf(code.mirror, from, to, MAX_CHANGE_BYTES);
  if (patch.length > MAX_CHANGE_BYTES)
    refuse(step, `the change is a patch of ${patch.length} bytes, over the limit of ${MAX_CHANGE_BYTES}`);
  try {
    const diff = await code.environment.artefacts.put(patch, 'text/x-diff');
    return { diffStat: stat, diff };
  } catch (error) {
    if (error instanceof RangeError) refuse(step, `the change is too large to keep: ${error.message}`, error);
    throw error;
  }
}
