import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { asGithubFailure } from '../../github/classify.ts';
import { openRepository } from '../../github/repository.ts';
import { verdictsOf } from '../../github/verdicts.ts';
import { branchHead, fetchOrigin } from '../../git/commits.ts';
import { git, gitText } from '../../git/git.ts';
import type { Mirror } from '../../git/mirror.ts';
import { branchRef } from '../../git/names.ts';
import { pushRef } from '../../git/push.ts';
import { commitTree, treeOf } from '../../git/trees.ts';
import { inRun } from '../../run-component.ts';
import { codeComponent } from '../code-component.ts';
import { checkResult, oneLine, type CheckResult } from './result.ts';
import { triggersOf, type Triggers } from './triggers.ts';

export const CI_WAIT = { seconds: 60, everyMilliseconds: 3_000 };

/** Whether checks begin on what Workledger pushes: one empty commit on a branch that is deleted again, whatever happens. */
export const checkCi = codeComponent({
  request: inRun.extend({ subject: z.string(), seconds: z.number(), everyMilliseconds: z.number() }),
  result: checkResult,
  limits: { turns: { atOnce: () => 2 }, seconds: () => 300 },
  act: async (request, { environment, repository, mirror, signal, secrets }): Promise<CheckResult> => {
    const subject = `${request.subject}: CI`;
    const github = openRepository({ environment, step: 'check', signal, key: request.taskId, secrets }, request);
    await fetchOrigin(mirror, null, signal);
    const base = await branchHead(mirror, repository.baseBranch);
    if (base === null) return { subject, ok: false, detail: `no branch "${repository.baseBranch}"` };
    const branch = `workledger/check-${randomBytes(6).toString('hex')}`;
    const message = 'Does CI start on what Workledger pushes?\n\nThis branch is deleted again.\n';
    const tree = await treeOf(mirror, base);
    const commit = await commitTree(mirror, { tree, parent: base, message, signal });
    const ref = branchRef(branch);
    let began: readonly string[] = [];
    try {
      await pushRef(mirror, { ref, to: commit, expected: 'none', signal });
      const until = performance.now() + 1_000 * request.seconds;
      for (;;) {
        const { checks } = await verdictsOf(github, { commit, except: [] });
        began = checks.map(({ name }) => name);
        if (began.length > 0 || performance.now() >= until) break;
        await pause(request.everyMilliseconds, signal);
      }
    } catch (error) {
      throw asGithubFailure('check', error);
    } finally {
      // Not with the call's signal: it goes also where we were told to stop.
      await pushRef(mirror, { ref, to: null, expected: 'any' });
    }
    if (began.length > 0)
      return { subject, ok: true, detail: oneLine(`starts on what is pushed: ${began.join(', ')}`) };
    return { subject, ...judged(await workflowsAt(mirror, base, branch), request.seconds) };
  },
});

type Workflow = Triggers & { readonly name: string };

async function workflowsAt({ gitFolder }: Mirror, commit: string, branch: string): Promise<Workflow[]> {
  const args = ['ls-tree', '-r', '--name-only', commit, '--', '.github/workflows'];
  const paths = (await gitText(args, { cwd: gitFolder })).split('\n').filter((path) => /\.ya?ml$/.test(path));
  const found: Workflow[] = [];
  for (const path of paths) {
    const { stdout } = await git(['cat-file', 'blob', `${commit}:${path}`], { cwd: gitFolder });
    found.push({ name: path.slice(path.lastIndexOf('/') + 1), ...triggersOf(stdout.toString('utf8'), branch) });
  }
  return found;
}

/** What to think of it that nothing began. */
function judged(all: readonly Workflow[], seconds: number): Omit<CheckResult, 'subject'> {
  const named = (some: readonly Workflow[]): string => some.map(({ name }) => name).join(', ');
  const nothing = `nothing starts within ${seconds} s on what is pushed`;
  const onPush = all.filter(({ push }) => push === 'yes');
  const onPull = all.filter(({ pullRequest }) => pullRequest);
  const filtered = all.filter(({ push }) => push === 'filtered');
  if (onPush.length > 0) {
    const mend = `are Actions allowed there, are there runners, and is it pushed by another login than the GITHUB_TOKEN of a workflow, whose pushes start nothing?`;
    return { ok: false, detail: oneLine(`${nothing}, though ${named(onPush)} should: ${mend}`) };
  }
  if (onPull.length > 0) {
    const detail = `${nothing}; ${named(onPull)} starts on pull requests, which is not tried: none is opened for it`;
    return { ok: true, detail: oneLine(detail) };
  }
  if (filtered.length > 0) {
    const mend = `add 'workledger/**' to its branches (and leave paths out), or "pull_request"`;
    return { ok: false, detail: oneLine(`${nothing}: ${named(filtered)} has a filter under "on: push" → ${mend}`) };
  }
  const detail = `${nothing}, and no workflow in .github/workflows does on pushes or pull requests: only Workledger's own tests judge the work`;
  return { ok: true, detail: oneLine(detail) };
}
