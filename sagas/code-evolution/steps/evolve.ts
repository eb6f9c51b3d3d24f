import type { EvaluateResult, WorkResult } from '../../components/code/requests.ts';
import { done, failed, waiting, type Effector, type Step } from '../../pipeline/step.ts';
import type { Facts, Learned } from '../facts.ts';
import { agentSeconds, checkSeconds, claimOf, idInRun, inRun, isCommandRun, known, planOf } from './run.ts';

const evolutionId = (facts: Facts): string => idInRun(facts, 'evolution');

/**
 * Best-of-n, generation after generation. The evolution aggregate decides which candidates there are and when it is over; each
 * candidate is one job under its own key.
 */
export const evolve: Step<Facts> = {
  name: 'evolve',
  when: (facts) => isCommandRun(facts) && planOf(facts).evolve !== null && facts.evolved === null,
  run: (facts, on) => {
    if (!start(facts, on)) return waiting;
    for (const { generation, parent, candidates } of facts.opened)
      for (const candidate of candidates) tryCandidate(facts, on, { generation, parent, candidate });
    if (facts.evolutionFailure !== null) return failed(facts.evolutionFailure);
    if (facts.evolved === null) return waiting;
    return done({ learned: { commit: facts.evolved.commit } } satisfies Learned);
  },
  abandon: (facts, on) => {
    const reason = facts.stopped ?? 'the run ended';
    return on.tryCommand('cancel', 'evolution.cancel', evolutionId(facts), { reason }) === null ? waiting : done();
  },
};

function start(facts: Facts, on: Effector): boolean {
  const plan = planOf(facts);
  const base = known(facts.commit);
  const baseline = on.call<EvaluateResult>(
    'baseline',
    'code.evaluate',
    { ...inRun(facts), commit: base },
    checkSeconds(plan),
  );
  const started =
    baseline &&
    on.command('start', 'evolution.start', evolutionId(facts), {
      taskId: claimOf(facts).taskId,
      runId: claimOf(facts).claimId,
      repository: inRun(facts).repository,
      base,
      before: plan.metricsBefore,
      baseline: baseline.metrics,
      plan: plan.evolve,
    });
  return started !== null;
}

type CandidateOf = { readonly generation: number; readonly parent: string; readonly candidate: string };

function tryCandidate(facts: Facts, on: Effector, { generation, parent, candidate }: CandidateOf): void {
  const plan = planOf(facts);
  const request = {
    ...inRun(facts),
    agentId: plan.improver ?? claimOf(facts).agentId,
    parent,
    label: `candidate-${candidate}`,
    prompt: {
      purpose: 'improve',
      feedback: null,
      metrics: plan.evolve && {
        metric: plan.evolve.metric,
        direction: plan.evolve.direction,
        current: facts.metrics ?? {},
      },
    },
    evaluate: true,
  };
  const seconds = agentSeconds(plan) + checkSeconds(plan);
  const work = on.tryCall<WorkResult>(`candidate-${candidate}`, 'code.work', request, seconds);
  if (work === null) return;
  if (work.failure !== undefined) {
    const failure = { generation, candidate, failure: work.failure, costUsd: work.costUsd };
    on.tryCommand(`record-${candidate}`, 'evolution.fail-candidate', evolutionId(facts), failure);
    return;
  }
  const { commit, metrics, diffStat, diff, output, costUsd, durationMs } = work.result;
  const result = { generation, candidate, commit, metrics: metrics ?? {}, diffStat, diff, output, costUsd, durationMs };
  on.tryCommand(`record-${candidate}`, 'evolution.record-candidate', evolutionId(facts), result);
}
