import { z } from 'zod';
import { agentTold, artefact, diffStat, metrics, type Metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { agentOf, type ComponentEnvironment } from '../environment.ts';
import { asComponentFailure } from '../failures.ts';
import type { Checkout } from '../git/checkout.ts';
import { ensureCommits } from '../git/commits.ts';
import { git, GitFailure } from '../git/git.ts';
import { keptRef, resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { asIgnored } from '../git/litter.ts';
import { takeChange, UnusableChange } from '../git/take-change.ts';
import { treeOf } from '../git/trees.ts';
import { oneLine } from '@workledger/shared/telemetry/one-line.ts';
import { gatheredForPrompt, gatheredSchema } from '../context/gather.ts';
import { inRun, type Limits } from '../run-component.ts';
import { gitInside, runAgent, type AgentRun } from './agent.ts';
import { codeComponent, secondsFor, type CodeAttempt } from './code-component.ts';
import { MAX_CHANGE_BYTES, storeDiff } from './change.ts';
import { measure, recordedBase } from './validate.ts';
import { promptSchema } from './prompt.ts';
import { preparePlace } from './setup.ts';

export const agentLimits: Limits = {
  turns: { atOnce: agentsAtOnce },
  seconds: (request, environment) =>
    secondsFor(4, request, environment) +
    Math.max(0, ...environment.configuration.agents.map(({ limits }) => limits.timeoutSeconds)),
};

const workRequest = inRun.extend({
  agentId: z.string(),
  parent: z.string(),
  base: recordedBase,
  /** Names the result: kept in the origin under refs/workledger/<taskId>/<runId>/<label>. */
  label: z.string(),
  prompt: promptSchema,
  /** Also measure the result with the `evaluate` command: runs of earlier versions ask for it. */
  evaluate: z.boolean(),
});
type WorkRequest = z.infer<typeof workRequest>;

/** Lets a configured agent edit the code in a repository of its own and leaves what it did in the origin. A repeat does it anew. */
export const work = codeComponent({
  request: workRequest,
  result: z.object({
    commit: z.string(),
    /** Of its files: two candidates with one tree are the same work. Absent: written before this was told. */
    tree: z.string().optional(),
    diffStat,
    diff: artefact,
    prompt: artefact,
    /** What of the code the prompt told; absent: nothing, or written before this was. */
    context: artefact.optional(),
    gathered: gatheredSchema.omit({ context: true }).optional(),
    output: artefact,
    exitCode: z.number().nullable(),
    costUsd: z.number().nullable(),
    /** What the agent told of its own work; absent: nothing, or written before this was. */
    agent: agentTold.optional(),
    durationMs: z.number(),
    metrics: metrics.nullable(),
  }),
  limits: agentLimits,
  act: async (request, code) => {
    const { environment, mirror, signal } = code;
    const agent = agentOf(environment, 'work', request.agentId);
    await ensureCommits(mirror, request.taskId, [request.parent], signal);
    const checkout = await code.checkout('work', request.parent);

    const at = { taskId: request.taskId, commit: request.parent, base: request.base ?? null };
    const place = await preparePlace(code, checkout, at);
    const worked = { checkout, agent, request, made: place.made };
    const { text, told: ofContext } = await gatheredForPrompt(code, { ...request, commit: request.parent });
    const asked = { ...request, place, context: text };
    const run = await runAgent(code, agent, checkout, asked).catch((error: unknown) =>
      throwKeeping(code, worked, error),
    );
    try {
      const commit = await changeOf(code, { ...worked, run });
      const change = await storeDiff(code, 'work', request.parent, commit);
      await leave(code, request, commit, run);
      const { fail: _, ...told } = run;
      const tree = await treeOf(mirror, commit);
      return { commit, tree, ...change, ...told, ...ofContext, metrics: await measured(code, request, commit) };
    } catch (error) {
      if (signal.aborted) throw error;
      const { costUsd, prompt, agent: told = null } = run;
      throw retold(asComponentFailure('work', error, signal), { costUsd, prompt, agent: told });
    }
  },
});

type Told = Pick<ComponentFailure, 'failure' | 'retryable' | 'fault' | 'until' | 'costUsd' | 'prompt' | 'agent'>;

/** The same failure, with more that is known of it. */
function retold(failed: ComponentFailure, more: Partial<Told>): ComponentFailure {
  const { failure, retryable, fault, until, costUsd, prompt, agent } = failed;
  const { failure: told, ...options } = { failure, retryable, fault, until, costUsd, prompt, agent, ...more };
  return new ComponentFailure(told, { ...options, cause: failed });
}

type Worked = {
  readonly checkout: Checkout;
  readonly agent: AgentConfiguration;
  readonly request: WorkRequest;
  /** What `setup` made in the checkout: no work. */
  readonly made: readonly string[];
};
type Done = Worked & { readonly run: AgentRun };

/** How much of what is in a checkout is taken, and what is none of the agent's work. */
const takenOf = ({ repository }: CodeAttempt, made: readonly string[]) => ({
  maxBytes: MAX_CHANGE_BYTES,
  litter: [...repository.litter, ...made.map(asIgnored)],
});

/** What an agent had changed when it failed stays in the origin, too, and its failure names it. @throws always: the error, told more */
async function throwKeeping(
  code: CodeAttempt,
  { checkout, agent, request, made }: Worked,
  error: unknown,
): Promise<never> {
  if (!(error instanceof ComponentFailure) || code.signal.aborted) throw error;
  const { mirror, signal, environment } = code;
  const { parent, label, taskId } = request;
  const message = `What a failed attempt left\n\nTask ${taskId}, ${label}\n`;
  const inside = (args: readonly string[]) => gitInside(code, checkout, agent, args);
  let commit: string;
  try {
    commit = await takeChange(checkout, { ...{ parent, message, inside, signal }, ...takenOf(code, made) });
    if ((await treeOf(mirror, commit)) === (await treeOf(mirror, parent))) throw error;
    await pushRef(mirror, { ref: resultOf(request, `${label}-failed`, commit), to: commit, expected: 'any', signal });
  } catch (reason) {
    if (reason !== error)
      environment.logger.warn({ reason: oneLine(reason) }, 'cannot keep what a failed attempt changed');
    throw error;
  }
  throw retold(error, { failure: { ...error.failure, commit } });
}

/** What the agent left behind, as one commit that descends from the parent. @throws ComponentFailure */
async function changeOf(code: CodeAttempt, { checkout, agent, request, run, made }: Done): Promise<string> {
  const { mirror, signal } = code;
  const { parent, label } = request;
  const { title } = await code.environment.readTask(request.taskId);
  const message = `${title.slice(0, 200)}\n\nTask ${request.taskId}, ${label}\n`;
  const inside = (args: readonly string[]) => gitInside(code, checkout, agent, args);
  try {
    const commit = await takeChange(checkout, {
      ...{ parent, message, inside, signal },
      ...takenOf(code, made),
    });
    if ((await treeOf(mirror, commit)) === (await treeOf(mirror, parent))) throw run.fail('the agent changed nothing');
    return commit;
  } catch (error) {
    if (error instanceof UnusableChange) throw run.fail(error.message);
    throw error;
  }
}

/**
 * Leaves the result in the origin. Where that takes it later, it goes on from here, and is pushed again when it is published; where it is
 * refused for good, nothing runs again: the work is kept. @throws ComponentFailure
 */
async function leave(code: CodeAttempt, request: WorkRequest, commit: string, run: AgentRun): Promise<void> {
  const { mirror, signal, environment } = code;
  try {
    await pushRef(mirror, { ref: resultOf(request, request.label, commit), to: commit, expected: 'any', signal });
  } catch (error) {
    if (signal.aborted || !(error instanceof GitFailure)) throw error;
    const refused = asComponentFailure('work', error, signal);
    const { failure, retryable } = refused;
    const kept = keptRef(request, request.label, commit);
    await git(['update-ref', kept, commit], { cwd: mirror.gitFolder });
    const reason = `${failure.reason.slice(0, 2_000)}. The work is kept here as ${kept} (${commit})`;
    if (retryable) {
      environment.logger.warn(
        { taskId: request.taskId, reason },
        'cannot leave the work in the origin now: it goes on',
      );
      return;
    }
    throw retold(refused, { failure: { ...failure, reason, log: run.output } });
  }
}

const measured = async (code: CodeAttempt, request: WorkRequest, commit: string): Promise<Metrics | null> =>
  request.evaluate ? (await measure(code, request.taskId, commit, request.base)).metrics : null;

const AT_LEAST = 2;
const AT_MOST = 16;

/** How many agents run at once in one process: as many tasks as they may hold, and room for one task's candidates. */
export function agentsAtOnce({ agents, repositories }: ComponentEnvironment['configuration']): number {
  const tasks = agents.reduce((sum, { capacity }) => sum + capacity, 0);
  const candidates = Math.max(1, ...repositories.map(({ evolve }) => evolve?.candidates ?? 1));
  return Math.min(AT_MOST, Math.max(AT_LEAST, tasks + candidates - 1));
}
