import type { Component } from '../../engine/component.ts';
import { branchHead, fetchOrigin } from '../git/commits.ts';
import { agentIdOf } from './agent-id.ts';
import type { CodeEnvironment } from './environment.ts';
import { refuse } from './failures.ts';
import { inAttempt } from './in-attempt.ts';
import type { PrepareRequest, PrepareResult } from './requests.ts';

/** Seconds for fetching, committing and pushing, on top of what the commands may take. */
const GIT_SECONDS = 120;
/** A call may wait while others hold all slots; the programs' own limits are kept apart from this and end them first. */
const TURNS = 4;

/** Fetches the repository and tells where work starts and what its registration asks for. */
export const createPrepare = (environment: CodeEnvironment): Component<PrepareRequest, PrepareResult> => ({
  name: 'code.prepare',
  perform: (request, context) =>
    inAttempt(environment, 'prepare', request, context, async ({ repository, mirror, signal }) => {
      await fetchOrigin(mirror, request.taskId, signal);
      const { baseBranch, evolve, merge, evaluate, agent } = repository;
      const base = await branchHead(mirror, baseBranch);
      if (base === null) return refuse('prepare', `repository "${repository.name}" has no branch "${baseBranch}"`);
      return {
        base,
        evolve,
        merge,
        evaluates: evaluate !== null,
        improver: agent === null ? null : agentIdOf(agent),
        timeouts: timeouts(environment, repository.limits.timeoutSeconds, evaluate !== null),
      };
    }),
});

function timeouts(environment: CodeEnvironment, command: number, evaluates: boolean): PrepareResult['timeouts'] {
  const agent = Math.max(0, ...environment.configuration.agents.map(({ limits }) => limits.timeoutSeconds));
  const check = 2 * command + GIT_SECONDS;
  const work = agent + GIT_SECONDS + (evaluates ? 2 * command : 0);
  return { agent: Math.ceil(TURNS * work), check: Math.ceil(TURNS * check) };
}
