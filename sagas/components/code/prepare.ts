import { z } from 'zod';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { evolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { agentIdOf, repositoryOf, type ComponentEnvironment } from '../environment.ts';
import { refuse } from '../failures.ts';
import { branchHead, fetchOrigin } from '../git/commits.ts';
import { missingLfs, needsOf } from '../git/filters.ts';
import { openMirror, type Mirror } from '../git/mirror.ts';
import { runRefs, taskRefs, type Run } from '../git/names.ts';
import { pushRef, RefMoved, remoteRefs } from '../git/push.ts';
import { endScope } from '../process/attempt.ts';
import { defineComponent, inRun } from '../run-component.ts';
import { codeComponent, gitLimits, scopeOf } from './attempt.ts';

/** Seconds for fetching, committing and pushing, on top of what the commands may take. */
const GIT_SECONDS = 120;
/** A call may wait while others hold all slots; the programs' own limits are kept apart from this and end them first. */
const TURNS = 4;

/** Fetches the repository and tells where work starts and what its registration asks for. */
export const prepare = codeComponent({
  request: inRun,
  result: z.object({
    base: z.string(),
    evolve: evolutionPlan.nullable(),
    merge: z.enum(['never', 'fast-forward']),
    evaluates: z.boolean(),
    /** Agent id that improves candidates; null: the one that claimed the task. */
    improver: z.string().nullable(),
    /** Seconds, whole steps. */
    timeouts: z.object({ agent: z.number(), check: z.number() }),
  }),
  act: async (_request, { environment, repository, mirror, signal }) => {
    await fetchOrigin(mirror, null, signal);
    const { baseBranch, evolve, merge, evaluate, agent } = repository;
    const base = await branchHead(mirror, baseBranch);
    if (base === null) return refuse('prepare', `repository "${repository.name}" has no branch "${baseBranch}"`);
    const missing = missingLfs(await needsOf(mirror, base, signal));
    if (missing !== null) return refuse('prepare', `repository "${repository.name}": ${missing}`);
    return {
      base,
      evolve,
      merge,
      evaluates: evaluate !== null,
      improver: agent === null ? null : agentIdOf(agent),
      timeouts: timeouts(environment, repository),
    };
  },
});

function timeouts(environment: ComponentEnvironment, { limits, setup, evaluate }: Repository) {
  const agent = Math.max(0, ...environment.configuration.agents.map((one) => one.limits.timeoutSeconds));
  const command = limits.timeoutSeconds;
  // `setup` may run on the base first, and for the agent.
  const again = setup === null ? 0 : command;
  const check = 2 * command + again + GIT_SECONDS;
  const work = agent + 2 * again + GIT_SECONDS + (evaluate === null ? 0 : 2 * command + again);
  return { agent: Math.ceil(TURNS * work), check: Math.ceil(TURNS * check) };
}

/** Kills what still runs for this task run, removes its checkouts and its results in the origin; branches and other runs' results stay. */
export const cleanup = defineComponent({
  request: inRun,
  result: z.object({ worktrees: z.number() }),
  limits: gitLimits,
  perform: async (request, { environment, step, signal }) => {
    const repository = repositoryOf(environment, step, request.repository);
    const worktrees = await endScope(environment.dataFolder, scopeOf(request));
    const mirror = await openMirror(environment.dataFolder, repository.url, signal);
    for (const { ref, commit } of await refsOf(mirror, request, signal)) await remove(mirror, ref, commit, signal);
    return { worktrees };
  },
  everywhere: (results) => ({ worktrees: results.reduce((sum, { worktrees }) => sum + worktrees, 0) }),
});

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The run's refs, and before them what a remote agent pushed beside them and this run inspected: the run's own refs
 * tell which, also to a repeat.
 */
async function refsOf(mirror: Mirror, run: Run, signal: AbortSignal): Promise<{ ref: string; commit: string }[]> {
  const task = `${taskRefs(run.taskId)}/`;
  const all = (await remoteRefs(mirror, `${task}*`, signal)).filter(({ ref }) => ref.startsWith(task));
  const own = all.filter(({ ref }) => ref.startsWith(`${runRefs(run)}/`));
  const commits = new Set(own.map(({ commit }) => commit));
  const ofARun = (ref: string): boolean => RUN_ID.test(ref.slice(task.length).split('/')[0] ?? '');
  return [...all.filter(({ ref, commit }) => !ofARun(ref) && commits.has(commit)), ...own];
}

async function remove(mirror: Mirror, ref: string, commit: string, signal: AbortSignal): Promise<void> {
  try {
    await pushRef(mirror, { ref, to: null, expected: { commit }, signal });
  } catch (error) {
    // Whoever moved it since needs it.
    if (!(error instanceof RefMoved)) throw error;
  }
}
