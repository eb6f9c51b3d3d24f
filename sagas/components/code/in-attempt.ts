import type { PerformContext } from '../../engine/component.ts';
import { openMirror, type Mirror, addWorktree, worktreeAt, type Worktree } from '../git/mirror.ts';
import { openAttempt, type Attempt } from '../process/attempt.ts';
import { type CodeEnvironment, repositoryOf } from './environment.ts';
import { asComponentFailure } from './failures.ts';
import { patientArtefacts } from './patient-artefacts.ts';
import { secretsOf } from './secrets.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';

export type InRun = { readonly taskId: string; readonly runId: string; readonly repository: string };

/** What one component call on one repository works with. */
export type CodeAttempt = {
  readonly environment: CodeEnvironment;
  readonly repository: Repository;
  readonly mirror: Mirror;
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  /** A clean worktree of the commit; it goes with the attempt. */
  checkout(name: string, commit: string): Promise<Worktree>;
};

/** What belongs to one run of one task on this machine. */
export const scopeOf = (request: InRun): string => `${request.taskId}/${request.runId}`;

/** Does an action under the call's key: what an earlier try left is ended first, what this one made goes at its end, and no secret leaves it. @throws ComponentFailure */
export async function inAttempt<Result>(
  environment: CodeEnvironment,
  step: string,
  request: InRun,
  context: PerformContext,
  action: (attempt: CodeAttempt) => Promise<Result>,
): Promise<Result> {
  const { key, signal } = context;
  const { dataFolder } = environment;
  const repository = repositoryOf(environment, step, request.repository);
  const secrets = secretsOf(environment);
  try {
    const opened = await openAttempt({ dataFolder, key, scope: scopeOf(request) });
    const attempt: Attempt = { ...opened, run: async (process) => secrets.result(await opened.run(process)) };
    try {
      const mirror = await openMirror(dataFolder, repository.url);
      const checkout = async (name: string, commit: string): Promise<Worktree> => {
        const worktree = worktreeAt(mirror, `${attempt.id}-${name}`);
        attempt.own(worktree.path);
        attempt.own(worktree.gitFolder);
        await addWorktree(worktree, commit, signal);
        return worktree;
      };
      const artefacts = patientArtefacts(environment, signal);
      return await action({
        environment: { ...environment, artefacts },
        repository,
        mirror,
        attempt,
        signal,
        checkout,
      });
    } finally {
      await attempt.close();
    }
  } catch (error) {
    throw secrets.failure(asComponentFailure(step, error, signal));
  }
}
