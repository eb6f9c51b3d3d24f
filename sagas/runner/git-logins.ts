import type { ComponentEnvironment, GitLogins } from '../components/environment.ts';
import { failureOf } from '../components/failures.ts';
import { configurationOf, type InRun } from '../components/run-component.ts';
import { ComponentFailure, Postponed } from '../engine/component.ts';
import type { Asking } from './asking.ts';
import type { AskedForGit, SaidForGit } from './frames.ts';

/** The runner's side: tokens for git, asked of sagas, who have the key of the app. @param signal of the call */
export function gitLoginsThrough({ ask }: Pick<Asking, 'ask'>, signal: AbortSignal): GitLogins {
  const told = new Set<string>();
  return {
    gitToken: async ({ url }, refused, until) => {
      // An address with a user may hold a password, and has no need of another login.
      if (!/^https?:\/\/[^/@]+(\/|$)/i.test(url)) return null;
      const said = await ask({ what: 'git-token', url, refused }, AbortSignal.any([signal, until]));
      if (said.said === 'git-token') {
        if (said.token !== null) told.add(said.token);
        return said.token;
      }
      if (said.said === 'no-git-token') throw new ComponentFailure(failureOf('github', said.reason), said);
      throw new Error('another answer than was asked for');
    },
    secrets: () => [...told],
  };
}

/** Of one call: git calls the origin a few times in each step. */
const MOST_ASKED = 1_000;

/** Sagas' side: a token for the repository of one call, wherever the runner says that it lies, and for no other. */
export function answerForGit(
  { github, ...environment }: Pick<ComponentEnvironment, 'github' | 'configuration' | 'configurationAt'>,
  request: InRun,
  signal: AbortSignal,
): (asked: AskedForGit) => Promise<SaidForGit> {
  let count = 0;
  return async ({ url, refused }) => {
    count += 1;
    try {
      const { repositories } = await configurationOf(environment, request);
      const registered = repositories.find(({ name }) => name === request.repository);
      if (!github || registered === undefined || count > MOST_ASKED) return { said: 'git-token', token: null };
      return { said: 'git-token', token: await github.gitToken({ ...registered, url }, refused, signal) };
    } catch (error) {
      return refusalOf(error);
    }
  };
}

function refusalOf(error: unknown): SaidForGit {
  const passing = { said: 'no-git-token', retryable: true, fault: 'origin', until: null } as const;
  if (error instanceof ComponentFailure) {
    const { failure, retryable, fault, until } = error;
    return { ...passing, reason: failure.reason, retryable, fault, until };
  }
  if (error instanceof Postponed) return { ...passing, reason: error.failure.reason };
  return { ...passing, reason: error instanceof Error ? error.message : String(error) };
}
