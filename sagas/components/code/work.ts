import type { Metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure, type Component } from '../../engine/component.ts';
import { changedEntries, ensureCommits, isAncestor, treeOf } from '../git/commits.ts';
import { commitAll, UnusableChange } from '../git/make-commit.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import type { Worktree } from '../git/mirror.ts';
import { agentOf, type CodeEnvironment } from './environment.ts';
import { inAttempt, type CodeAttempt } from './in-attempt.ts';
import { measure } from './measure.ts';
import { promptOf } from './prompt.ts';
import type { WorkRequest, WorkResult } from './requests.ts';
import { runAgent, type AgentRun } from './run-agent.ts';
import { MAX_CHANGE_BYTES, storeDiff } from './store-diff.ts';

/** Lets a configured agent edit the code in a worktree of its own and leaves what it did in the origin. A repeat does it anew. */
export const createWork = (environment: CodeEnvironment): Component<WorkRequest, WorkResult> => ({
  name: 'code.work',
  perform: (request, context) =>
    inAttempt(environment, 'work', request, context, async (code) => {
      const { mirror, signal, repository } = code;
      const agent = agentOf(environment, 'work', request.agentId);
      await ensureCommits(mirror, request.taskId, [request.parent], signal);
      const worktree = await code.checkout('work', request.parent);
      const prompt = await promptOf(request, repository, code.environment);

      const run = await runAgent(code, agent, worktree, prompt);
      const commit = await takeChange(code, worktree, request, run);
      const change = await storeDiff(code, 'work', request.parent, commit);
      const ref = resultOf(request, request.label, commit);
      await pushRef(mirror, { ref, to: commit, expected: 'any', signal });
      const { fail: _, ...told } = run;
      return { commit, ...change, ...told, metrics: await measured(code, request, commit, run) };
    }),
});

/** What the agent left behind, as one commit that descends from the parent. @throws ComponentFailure */
async function takeChange(code: CodeAttempt, worktree: Worktree, request: WorkRequest, run: AgentRun): Promise<string> {
  const { mirror, signal } = code;
  const { parent, label } = request;
  const { title } = await code.environment.readTask(request.taskId);
  const message = `${title.slice(0, 200)}\n\nTask ${request.taskId}, ${label}\n`;
  try {
    const commit = await commitAll(worktree, { message, maxBytes: MAX_CHANGE_BYTES, signal });
    if (!(await isAncestor(mirror, parent, commit)))
      throw run.fail(`the agent moved HEAD to ${commit}, which does not descend from ${parent}`);
    if ((await treeOf(mirror, commit)) === (await treeOf(mirror, parent))) throw run.fail('the agent changed nothing');
    const nested = (await changedEntries(mirror, parent, commit)).find(({ after }) => after?.mode === '160000');
    if (nested !== undefined) throw run.fail(`${nested.path} is a git repository inside the repository: remove it`);
    return commit;
  } catch (error) {
    if (error instanceof UnusableChange) throw run.fail(error.message);
    throw error;
  }
}

async function measured(
  code: CodeAttempt,
  request: WorkRequest,
  commit: string,
  run: AgentRun,
): Promise<Metrics | null> {
  if (!request.evaluate) return null;
  try {
    return (await measure(code, request.taskId, commit)).metrics;
  } catch (error) {
    if (!(error instanceof ComponentFailure)) throw error;
    const { failure, retryable, fault } = error;
    throw new ComponentFailure(failure, { retryable, fault, costUsd: run.costUsd, prompt: run.prompt, cause: error });
  }
}
