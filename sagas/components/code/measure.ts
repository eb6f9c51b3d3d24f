import type { ArtefactReference, Metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { branchHead, mergeBase, fetchOrigin } from '../git/commits.ts';
import { restorePaths } from '../git/make-commit.ts';
import { failureOf, refuse } from './failures.ts';
import type { CodeAttempt } from './in-attempt.ts';
import { readMetrics } from './metrics.ts';
import { failureOfRuns, reportOf, runCommands } from './run-command.ts';

/**
 * Runs the registration's `setup` and `evaluate` in a clean worktree of the commit. Protected paths are as they were
 * where the work left the base branch: a candidate does not write its own yardstick.
 * @throws ComponentFailure when a command fails or prints no metrics
 */
export async function measure(
  code: CodeAttempt,
  taskId: string,
  commit: string,
): Promise<{ metrics: Metrics; output: ArtefactReference }> {
  const { repository, signal } = code;
  if (repository.evaluate === null)
    return refuse('evaluate', `repository "${repository.name}" has no evaluate command`);
  const judged = await withProtectedPaths(code, taskId, commit);
  const worktree = await code.checkout('evaluate', judged);
  const runs = await runCommands(code, worktree, [
    { step: 'setup', command: repository.setup },
    { step: 'evaluate', command: repository.evaluate },
  ]);
  const output = await code.environment.artefacts.put(reportOf(runs), 'text/plain; charset=utf-8');
  const failure = failureOfRuns(runs, output);
  if (failure !== null) throw new ComponentFailure(failure, { retryable: true, fault: 'work' });
  const result = runs.at(-1)?.result;
  const told = readMetrics(result?.stdout ?? Buffer.alloc(0));
  if ('metrics' in told) return { metrics: told.metrics, output };
  signal.throwIfAborted();
  const parts = { command: repository.evaluate, exitCode: 0, log: output };
  throw new ComponentFailure(failureOf('evaluate', told.problem, { ...parts, output: result?.output ?? '' }), {
    retryable: true,
    fault: 'work',
  });
}

async function withProtectedPaths(code: CodeAttempt, taskId: string, commit: string): Promise<string> {
  const { repository, mirror, signal } = code;
  if (repository.protectedPaths.length === 0) return commit;
  if ((await branchHead(mirror, repository.baseBranch)) === null) await fetchOrigin(mirror, taskId, signal);
  const head = await branchHead(mirror, repository.baseBranch);
  const base = head === null ? null : await mergeBase(mirror, commit, head);
  if (base === null) return refuse('evaluate', `${commit} shares no history with ${repository.baseBranch}`);
  return (await restorePaths(mirror, { commit, base, pathspecs: repository.protectedPaths, signal })).commit;
}
