import { z } from 'zod';
import { artefact } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, refuse } from '../failures.ts';
import { branchHead, ensureCommits, fetchOrigin, isAncestor, mergeBase } from '../git/commits.ts';
import { git } from '../git/git.ts';
import { commitOn, type OnIndex } from '../git/make-commit.ts';
import { asCommit, resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { treeOf } from '../git/trees.ts';
import { inRun } from '../run-component.ts';
import { codeComponent, type CodeAttempt } from './code-component.ts';
import { storeDiff } from './change.ts';
import { work } from './work.ts';

const STEP = 'adopt';

/** Takes what somebody else's agent made, by its branch or as a patch in its words, as one commit on the parent, as `code.work` leaves one. */
export const adopt = codeComponent({
  request: inRun.extend({
    parent: z.string(),
    label: z.string(),
    /** Of the origin; null: its words have a patch. */
    branch: z.string().nullable(),
    /** Its words. */
    output: artefact,
    prompt: artefact,
    costUsd: z.number(),
    durationMs: z.number(),
  }),
  result: work.result,
  act: async (request, code) => {
    const { mirror, signal, environment } = code;
    const { parent, label, taskId, output, prompt, costUsd, durationMs } = request;
    try {
      await ensureCommits(mirror, taskId, [parent], signal);
      const patch = request.branch === null ? await patchOf(code, output.digest) : null;
      const adopted = request.branch === null ? null : await treeOfBranch(code, parent, request.branch);
      const { title } = await environment.readTask(taskId);
      const message = `${title.slice(0, 200)}\n\nTask ${taskId}, ${label}\n`;
      const commit = await commitOn(mirror, { commit: parent, message, signal }, async (at) => {
        if (adopted !== null) await git(['read-tree', adopted], at);
        if (patch !== null) await apply(patch, at);
      });
      const tree = await treeOf(mirror, commit);
      if (tree === (await treeOf(mirror, parent))) return refuse(STEP, 'it changed nothing');
      const change = await storeDiff(code, STEP, parent, commit);
      await pushRef(mirror, { ref: resultOf(request, label, commit), to: commit, expected: 'any', signal });
      return { commit, tree, ...change, prompt, output, exitCode: null, costUsd, durationMs, metrics: null };
    } catch (error) {
      if (!(error instanceof ComponentFailure)) throw error;
      const { failure, retryable, fault } = error;
      const told = { ...failure, log: failure.log ?? output };
      throw new ComponentFailure(told, { retryable, fault, costUsd, prompt, cause: error });
    }
  },
});

/** What the branch has more than it began with, on the parent. */
async function treeOfBranch({ mirror, signal }: CodeAttempt, parent: string, branch: string): Promise<string> {
  await fetchOrigin(mirror, null, signal);
  const head = await branchHead(mirror, branch);
  if (head === null) return refuse(STEP, `the origin has no branch "${branch.slice(0, 200)}"`);
  if (await isAncestor(mirror, parent, head)) return treeOf(mirror, head);
  const from = await mergeBase(mirror, parent, head);
  if (from === null) return refuse(STEP, `branch "${branch}" shares no history with ${parent}`);
  const args = ['merge-tree', '--write-tree', `--merge-base=${from}`, asCommit(parent), asCommit(head)];
  const { exitCode, stdout } = await git(args, { cwd: mirror.gitFolder, signal, allow: [0, 1] });
  const said = stdout.toString('utf8').trim();
  if (exitCode === 0) return said.split('\n')[0] ?? '';
  const failure = failureOf(STEP, `branch "${branch}" conflicts with ${parent}`, { output: said });
  throw new ComponentFailure(failure, { retryable: false, fault: 'work' });
}

/** The patches in the fences of its words, or these themselves where they are one. */
async function patchOf({ environment: { artefacts } }: CodeAttempt, digest: string): Promise<string> {
  const stored = await artefacts.get(digest);
  const words = stored === null ? '' : Buffer.from(stored.bytes).toString('utf8');
  const fenced = [...words.matchAll(/^```(?:diff|patch)[ \t]*\n([\s\S]*?)^```/gm)].map(([, patch = '']) => patch);
  const start = words.search(/^diff --git /m);
  if (fenced.length > 0) return fenced.join('');
  return start < 0 ? refuse(STEP, 'it named no branch, and its words have no patch') : words.slice(start);
}

async function apply(patch: string, at: OnIndex): Promise<void> {
  const args = ['apply', '--cached', '--recount', '--whitespace=nowarn', '-'];
  const { exitCode, stderr } = await git(args, { ...at, stdin: patch, allow: [0, 1, 128] });
  if (exitCode !== 0) refuse(STEP, `its patch does not apply: ${stderr.slice(0, 500)}`);
}
