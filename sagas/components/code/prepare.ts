import { z } from 'zod';
import { TESTS } from '@workledger/shared/config/checks.ts';
import { isOn } from '@workledger/shared/config/flags.ts';
import type { Repository } from '@workledger/shared/config/schema.ts';
import { pullRequestSchema } from '@workledger/shared/config/pull-requests.ts';
import { approver, type ApprovalPolicy } from '@workledger/shared/config/approval.ts';
import { evolutionPlan } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { agentIdOf, repositoryOf, type ComponentEnvironment } from '../environment.ts';
import { refuse } from '../failures.ts';
import { removeRunFolders } from '../evolution/run-folder.ts';
import { branchHeads, ensureCommits, fetchOrigin, hasCommit } from '../git/commits.ts';
import { missingLfs, needsOf } from '../git/filters.ts';
import { GitFailure } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { runRefs, taskRefs, type Run } from '../git/names.ts';
import { deleteRefs, remoteRefs } from '../git/push.ts';
import { endScope } from '../process/attempt.ts';
import { defineComponent, inRun } from '../run-component.ts';
import { codeComponent, gitLimits, mirrorOf, scopeOf, secondsOfChecks } from './code-component.ts';
import { forgetSessions } from './sessions.ts';

/** Seconds for fetching, committing and pushing, on top of what the commands may take. */
const GIT_SECONDS = 120;
/** The flag that says for which tasks their repository's `evolve` is followed. */
const EVOLVES = 'evolution';
/** A call may wait while others hold all slots; the programs' own limits are kept apart from this and end them first. */
const TURNS = 4;

/** Where there is a branch of the folder's name there can be none in the folder. */
export const BRANCH_IN_THE_WAY = 'the origin has a branch named workledger, so "workledger/…" cannot be: rename it';

/** Fetches the repository and tells where work starts and what its registration asks for. */
export const prepare = codeComponent({
  /** `commit`: what an earlier run made, and this one goes on with. */
  request: inRun.extend({ commit: z.string().optional() }),
  result: z.object({
    base: z.string(),
    evolve: evolutionPlan.nullable(),
    merge: z.enum(['never', 'fast-forward', 'squash', 'pull-request']),
    /** How pull requests are merged; left out where none is made. */
    pullRequest: pullRequestSchema.optional(),
    /** Results of before do not tell it. */
    baseBranch: z.string().optional(),
    /** Who approves what is to be merged; results of before do not tell it. */
    approval: approver.nullable().optional(),
    evaluates: z.boolean(),
    /** Others than the agent may write the code, too; left out: none may. */
    writers: z.literal(true).optional(),
    /** Names of the checks that judge the work, its tests among them; left out: there are only those. */
    checks: z.array(z.string()).optional(),
    /** Agent id that improves candidates; null: the one that claimed the task. */
    improver: z.string().nullable(),
    /** Seconds, whole steps. */
    timeouts: z.object({ agent: z.number(), check: z.number() }),
  }),
  act: async ({ taskId, commit }, { environment, repository, mirror, signal }) => {
    await fetchOrigin(mirror, commit === undefined ? null : taskId, signal);
    if (commit !== undefined && !(await isThere(mirror, taskId, commit, signal)))
      return refuse(
        'prepare',
        `commit ${commit}, which the task was to go on with, is no longer in the origin: retry from generate`,
      );
    const { baseBranch, merge, evaluate, agent } = repository;
    const { flags, environment: where = 'production' } = environment.configuration;
    const about = { repository: repository.name, environment: where };
    const evolve = isOn(flags, EVOLVES, taskId, about) ? repository.evolve : null;
    const [base = null, inTheWay = null] = await branchHeads(mirror, [baseBranch, 'workledger']);
    if (base === null) return refuse('prepare', `repository "${repository.name}" has no branch "${baseBranch}"`);
    if (inTheWay !== null) return refuse('prepare', `repository "${repository.name}": ${BRANCH_IN_THE_WAY}`);
    const missing = missingLfs(await needsOf(mirror, base, signal));
    if (missing !== null) return refuse('prepare', `repository "${repository.name}": ${missing}`);
    return {
      base,
      evolve,
      merge,
      baseBranch,
      ...(merge === 'pull-request' && { pullRequest: repository.pullRequest }),
      approval: approverOf(repository.approval),
      evaluates: evaluate !== null,
      ...(repository.generate !== null && { writers: true as const }),
      ...(repository.checks.length > 0 && { checks: [TESTS, ...repository.checks.map(({ name }) => name)] }),
      improver: agent === null ? null : agentIdOf(agent),
      timeouts: timeouts(environment, repository),
    };
  },
});

function approverOf(policy: ApprovalPolicy): z.infer<typeof approver> | null {
  if (policy === 'none') return null;
  if (policy === 'before-merge') return { kind: 'role', role: 'operator' };
  return 'role' in policy ? { kind: 'role', role: policy.role } : { kind: 'team', team: policy.team };
}

async function isThere(mirror: Mirror, taskId: string, commit: string, signal: AbortSignal): Promise<boolean> {
  await ensureCommits(mirror, taskId, [commit], signal).catch((error: unknown) => {
    // The origin answered a moment ago: it has no such commit, or gives none that no ref names.
    if (!(error instanceof GitFailure)) throw error;
  });
  return hasCommit(mirror, commit);
}

function timeouts(environment: ComponentEnvironment, repository: Repository) {
  const { limits, setup, evaluate } = repository;
  const agent = Math.max(0, ...environment.configuration.agents.map((one) => one.limits.timeoutSeconds));
  const command = limits.timeoutSeconds;
  // `setup` may run on the base first, and for the agent.
  const again = setup === null ? 0 : command;
  const check = 2 * command + again + secondsOfChecks(repository) + GIT_SECONDS;
  const work = agent + 2 * again + GIT_SECONDS + (evaluate === null ? 0 : 2 * command + again);
  return { agent: Math.ceil(TURNS * work), check: Math.ceil(TURNS * check) };
}

/**
 * Kills what still runs for this task run and removes its checkouts. What it made stays in the origin until the retention says otherwise;
 * of what a remote agent pushed beside and this run keeps itself, the agent's own name is free again.
 */
export const cleanup = defineComponent({
  request: inRun,
  result: z.object({ worktrees: z.number() }),
  limits: gitLimits,
  perform: async (request, { environment, step, signal }) => {
    const repository = repositoryOf(environment, step, request.repository);
    const worktrees = await endScope(environment.dataFolder, scopeOf(request));
    await removeRunFolders(environment.dataFolder, request.runId);
    await forgetSessions({ ...environment, ...request });
    const mirror = await mirrorOf(environment, repository, signal);
    await deleteRefs(mirror, await doublesOf(mirror, request, signal), signal);
    return { worktrees };
  },
  everywhere: (results) => ({ worktrees: results.reduce((sum, { worktrees }) => sum + worktrees, 0) }),
});

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** What a remote agent pushed beside the runs, where a ref of this run holds the same commit. */
async function doublesOf(mirror: Mirror, run: Run, signal: AbortSignal): Promise<{ ref: string; commit: string }[]> {
  const task = `${taskRefs(run.taskId)}/`;
  const all = (await remoteRefs(mirror, `${task}*`, signal)).filter(({ ref }) => ref.startsWith(task));
  const kept = new Set(all.filter(({ ref }) => ref.startsWith(`${runRefs(run)}/`)).map(({ commit }) => commit));
  const ofARun = (ref: string): boolean => RUN_ID.test(ref.slice(task.length).split('/')[0] ?? '');
  return all.filter(({ ref, commit }) => !ofARun(ref) && kept.has(commit));
}
