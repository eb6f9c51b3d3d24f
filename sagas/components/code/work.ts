import { z } from 'zod';
import { artefact, diffStat, metrics, type Metrics } from '@workledger/shared/contexts/values.ts';
import { ComponentFailure } from '../../engine/component.ts';
import type { AgentConfiguration } from '@workledger/shared/config/schema.ts';
import { agentOf, type ComponentEnvironment } from '../environment.ts';
import type { Checkout } from '../git/checkout.ts';
import { ensureCommits, treeOf } from '../git/commits.ts';
import { resultOf } from '../git/names.ts';
import { pushRef } from '../git/push.ts';
import { takeChange, UnusableChange } from '../git/take-change.ts';
import { inRun, type Limits } from '../run-component.ts';
import { gitInside, promptSchema, runAgent, type AgentRun } from './agent.ts';
import { codeComponent, secondsFor, type CodeAttempt } from './attempt.ts';
import { MAX_CHANGE_BYTES, storeDiff } from './change.ts';
import { measure, recordedBase } from './judge.ts';

const agentLimits: Limits = {
  turns: { atOnce: agentsAtOnce },
  seconds: (request, environment) =>
    secondsFor(2, request, environment) +
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
    output: artefact,
    exitCode: z.number().nullable(),
    costUsd: z.number().nullable(),
    durationMs: z.number(),
    metrics: metrics.nullable(),
  }),
  limits: agentLimits,
  act: async (request, code) => {
    const { environment, mirror, signal } = code;
    const agent = agentOf(environment, 'work', request.agentId);
    await ensureCommits(mirror, request.taskId, [request.parent], signal);
    const checkout = await code.checkout('work', request.parent);

    const run = await runAgent(code, agent, checkout, request);
    const commit = await changeOf(code, { checkout, agent, request, run });
    const change = await storeDiff(code, 'work', request.parent, commit);
    const ref = resultOf(request, request.label, commit);
    await pushRef(mirror, { ref, to: commit, expected: 'any', signal });
    const { fail: _, ...told } = run;
    const tree = await treeOf(mirror, commit);
    return { commit, tree, ...change, ...told, metrics: await measured(code, request, commit, run) };
  },
});

type Done = {
  readonly checkout: Checkout;
  readonly agent: AgentConfiguration;
  readonly request: WorkRequest;
  readonly run: AgentRun;
};

/** What the agent left behind, as one commit that descends from the parent. @throws ComponentFailure */
async function changeOf(code: CodeAttempt, { checkout, agent, request, run }: Done): Promise<string> {
  const { mirror, signal } = code;
  const { parent, label } = request;
  const { title } = await code.environment.readTask(request.taskId);
  const message = `${title.slice(0, 200)}\n\nTask ${request.taskId}, ${label}\n`;
  const inside = (args: readonly string[]) => gitInside(code, checkout, agent, args);
  try {
    const commit = await takeChange(checkout, { parent, message, maxBytes: MAX_CHANGE_BYTES, inside, signal });
    if ((await treeOf(mirror, commit)) === (await treeOf(mirror, parent))) throw run.fail('the agent changed nothing');
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
    return (await measure(code, request.taskId, commit, request.base)).metrics;
  } catch (error) {
    if (!(error instanceof ComponentFailure)) throw error;
    const { failure, retryable, fault } = error;
    throw new ComponentFailure(failure, { retryable, fault, costUsd: run.costUsd, prompt: run.prompt, cause: error });
  }
}

const AT_LEAST = 2;
const AT_MOST = 16;

/** How many agents run at once in one process: as many tasks as they may hold, and room for one task's candidates. */
export function agentsAtOnce({ agents, repositories }: ComponentEnvironment['configuration']): number {
  const tasks = agents.reduce((sum, { capacity }) => sum + capacity, 0);
  const candidates = Math.max(1, ...repositories.map(({ evolve }) => evolve?.candidates ?? 1));
  return Math.min(AT_MOST, Math.max(AT_LEAST, tasks + candidates - 1));
}
