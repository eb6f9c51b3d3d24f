import type { Failure, Fault } from '@workledger/shared/contexts/values.ts';
import type { RequestOf } from '../../components/catalogue.ts';
import { done, doubling, type Effector, failed, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import { affordable } from './budget.ts';
import { letRest } from './rest.ts';
import {
  agentSeconds,
  beginsAfter,
  checkSeconds,
  claimOf,
  earlierFailures,
  idInRun,
  inRun,
  isCommandRun,
  known,
  MOST_SENT_BACK,
  planOf,
  sendBack,
} from './run.ts';

const MEASURING_ATTEMPTS = 3;

const evolutionId = (facts: Facts): string => idInRun(facts, 'evolution');

/**
 * Best-of-n, generation after generation. The evolution aggregate decides which candidates there are and when it is over; each
 * candidate is one job under its own key.
 */
export const evolve: Step<Facts> = {
  name: 'evolve',
  when: (facts) =>
    isCommandRun(facts) && planOf(facts).evolve !== null && facts.evolved === null && !beginsAfter(facts, 'evolve'),
  retry: { attempts: MEASURING_ATTEMPTS, delaySeconds: doubling(2, 30) },
  run: (facts, on) => {
    const unfit = start(facts, on);
    if (unfit !== null) return unfit;
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

/** Measures the start and begins; answers what to do instead while that is under way, or when it cannot be measured. */
function start(facts: Facts, on: Effector): Outcome | null {
  const plan = planOf(facts);
  const base = known(facts.commit);
  const asked = { ...inRun(facts), commit: base, base: known(facts.base) };
  const baseline = on.tryCall('baseline', 'code.evaluate', asked, checkSeconds(plan));
  if (baseline === null) return waiting;
  if (baseline.failure !== undefined) return notMeasured(facts, on, baseline);
  const started = on.command('start', 'evolution.start', evolutionId(facts), {
    taskId: claimOf(facts).taskId,
    runId: claimOf(facts).claimId,
    repository: inRun(facts).repository,
    base,
    before: plan.metricsBefore,
    baseline: baseline.result.metrics,
    plan: affordable(facts, known(plan.evolve)),
  });
  return started === null ? waiting : null;
}

/** What cannot be measured goes back to its agent, like work that fails its tests. */
function notMeasured(
  facts: Facts,
  on: Effector,
  { failure, retryable, fault }: { failure: Failure; retryable: boolean; fault: Fault | null },
): Outcome {
  // No agent is paid for what the origin refuses.
  if (fault === 'origin') return failed(failure, retryable, fault);
  if (retryable && failure.exitCode === null && on.attempt < MEASURING_ATTEMPTS) return failed(failure, true);
  if (facts.sentBack >= MOST_SENT_BACK) return failed(failure);
  const { taskId, claimId } = claimOf(facts);
  const submitted = { claimId, commit: known(facts.commit), summary: null };
  if (on.tryCommand('submit', 'task.submit', taskId, submitted) === null) return waiting;
  const reason = `it cannot be measured: ${failure.reason}`;
  return sendBack(facts, on, { reason, log: failure.log, failure: { ...failure, reason } });
}

type CandidateOf = { readonly generation: number; readonly parent: string; readonly candidate: string };

function tryCandidate(facts: Facts, on: Effector, { generation, parent, candidate }: CandidateOf): void {
  const plan = planOf(facts);
  const request: RequestOf<'code.work'> = {
    ...inRun(facts),
    agentId: plan.improver ?? claimOf(facts).agentId,
    parent,
    base: known(facts.base),
    label: `candidate-${candidate}`,
    prompt: {
      purpose: 'improve',
      feedback: null,
      ...earlierFailures(facts),
      metrics: plan.evolve && {
        metric: plan.evolve.metric,
        direction: plan.evolve.direction,
        current: facts.metrics ?? {},
      },
    },
    evaluate: true,
  };
  const seconds = agentSeconds(plan) + checkSeconds(plan);
  const work = on.tryCall(`candidate-${candidate}`, 'code.work', request, seconds);
  if (work === null) return;
  if (work.failure !== undefined) {
    if (work.fault === 'limit' && !letRest(on, `rest-${candidate}`, request.agentId, work)) return;
    const failure = { generation, candidate, failure: work.failure, costUsd: work.costUsd };
    on.tryCommand(`record-${candidate}`, 'evolution.fail-candidate', evolutionId(facts), failure);
    return;
  }
  const { commit, metrics, diffStat, diff, output, costUsd, durationMs } = work.result;
  const result = { generation, candidate, commit, metrics: metrics ?? {}, diffStat, diff, output, costUsd, durationMs };
  on.tryCommand(`record-${candidate}`, 'evolution.record-candidate', evolutionId(facts), result);
}
