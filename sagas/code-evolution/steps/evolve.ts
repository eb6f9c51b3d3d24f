import type { Failure, Fault } from '@workledger/shared/contexts/values.ts';
import type { RequestOf } from '../../components/catalogue.ts';
import { done, doubling, type Effector, failed, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Feedback } from '../facts.ts';
import { because } from '../../engine/component.ts';
import { affordable } from './budget.ts';
import { tryJudged, tryMeasured } from './judgements.ts';
import { letRest } from './rest.ts';
import {
  agentSeconds,
  askAgain,
  beginsAfter,
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
import { enginePlan, writtenByOpenEvolve } from './openevolve.ts';
import { takeWinner } from './winner.ts';

const MEASURING_ATTEMPTS = 3;

const evolutionId = (facts: Facts): string => idInRun(facts, 'evolution');

/**
 * Best-of-n, generation after generation, of what passes its tests. The evolution aggregate decides which candidates there are and
 * when it is over; what is done about a candidate has keys of its own.
 */
export const evolve: Step<Facts> = {
  name: 'evolve',
  when: (facts) =>
    isCommandRun(facts) && planOf(facts).evolve !== null && facts.evolved === null && !beginsAfter(facts, 'evolve'),
  retry: { attempts: MEASURING_ATTEMPTS, delaySeconds: doubling(2, 30) },
  run: (facts, on) => {
    const unfit = start(facts, on);
    if (unfit !== null) return unfit;
    if (facts.evolutionFailure !== null) return failed(facts.evolutionFailure);
    const newest = facts.opened.at(-1);
    if (facts.evolved !== null) {
      const isTold = newest === undefined || tellLateCosts(facts, on, newest);
      return isTold ? takeWinner(facts, on) : waiting;
    }
    const underWay = new Set<string>();
    for (const candidate of newest?.candidates ?? [])
      tryCandidate(facts, on, { ...known(newest ?? null), candidate }, underWay);
    return waiting;
  },
  abandon: (facts, on) => {
    const reason = facts.stopped ?? 'the run ended';
    return on.tryCommand('cancel', 'evolution.cancel', evolutionId(facts), { reason }) === null ? waiting : done();
  },
};

/**
 * Judges the start, measures it, and begins; answers what to do instead while that is under way, or when it is no start: a candidate
 * would be paid for work that is thrown away.
 */
function start(facts: Facts, on: Effector): Outcome | null {
  if (facts.start !== null) return null;
  const plan = planOf(facts);
  const base = known(facts.commit);
  const question = { commit: base, base: known(facts.base) };
  const judgement = tryJudged(facts, on, 'judge-start', question);
  if (judgement === null) return waiting;
  if (judgement.failure !== undefined) return failed(judgement.failure, judgement.retryable, judgement.fault);
  const { failure, commit } = judgement.result;
  if (failure !== null)
    return notGood(facts, on, failure, { reason: failure.reason, log: failure.log, failure }, { commit });
  const baseline = tryMeasured(facts, on, 'baseline', question);
  if (baseline === null) return waiting;
  if (baseline.failure !== undefined) return notMeasured(facts, on, baseline);
  const chosen = enginePlan(facts, on);
  if (chosen === null) return waiting;
  if ('failure' in chosen) return failed(chosen.failure);
  const started = on.command('start', 'evolution.start', evolutionId(facts), {
    taskId: claimOf(facts).taskId,
    runId: claimOf(facts).claimId,
    repository: inRun(facts).repository,
    base,
    before: plan.metricsBefore,
    baseline: baseline.result.metrics,
    plan: affordable(facts, chosen),
  });
  return started === null ? waiting : null;
}

/** What cannot be measured goes back to its agent, like work that fails its tests. */
function notMeasured(
  facts: Facts,
  on: Effector,
  { failure, retryable, fault }: { failure: Failure; retryable: boolean; fault: Fault | null },
): Outcome {
  // No agent is paid for what the origin refuses, or this machine cannot do.
  if (fault !== null && fault !== 'work') return failed(failure, retryable, fault);
  if (retryable && failure.exitCode === null && on.attempt < MEASURING_ATTEMPTS) return failed(failure, true);
  const reason = `it cannot be measured: ${failure.reason}`;
  return notGood(facts, on, failure, { reason, log: failure.log, failure: { ...failure, reason } });
}

/** Back to its agent, once. */
function notGood(facts: Facts, on: Effector, failure: Failure, feedback: Feedback, learned?: Partial<Facts>): Outcome {
  if (facts.sentBack >= MOST_SENT_BACK) return failed(failure);
  const { taskId, claimId } = claimOf(facts);
  const submitted = { claimId, commit: known(facts.commit), summary: null };
  if (on.tryCommand('submit', 'task.submit', taskId, submitted) === null) return waiting;
  return sendBack(facts, on, feedback, learned);
}

type CandidateOf = { readonly generation: number; readonly parent: string; readonly candidate: string };

/**
 * Written, then judged, then measured, as far as it gets; then evolution is told.
 * @param underWay commits that another candidate asks about now
 */
function tryCandidate(
  facts: Facts,
  on: Effector,
  { generation, parent, candidate }: CandidateOf,
  underWay: Set<string>,
): void {
  if (facts.recorded[candidate]) return;
  const work = writeCandidate(facts, on, { parent, candidate });
  if (work === null) return;
  const told = { generation, candidate, costUsd: (work.result ?? work).costUsd };
  const fail = (failure: Failure): void =>
    void on.tryCommand(`record-${candidate}`, 'evolution.fail-candidate', evolutionId(facts), { ...told, failure });
  if (work.failure !== undefined) {
    const rested = work.fault !== 'limit' || letRest(on, `rest-${candidate}`, improverOf(facts), work);
    return rested ? fail(work.failure) : undefined;
  }

  const { tree, diffStat, diff, output, durationMs } = work.result;
  // The same files as another one's are the same work: they are not judged and measured again.
  const commit = (tree === undefined ? undefined : facts.trees[tree]) ?? work.result.commit;
  if (underWay.has(commit)) return;
  underWay.add(commit);
  const question = { commit, base: known(facts.base) };
  const judgement = askAgain(on, `judge-${candidate}`, (name) => tryJudged(facts, on, name, question));
  if (judgement === null) return;
  const bad = judgement.result === undefined ? judgement.failure : judgement.result.failure;
  if (bad !== null) return fail(bad);
  // An agent's call that an earlier version asked for measured its work itself.
  const measured = work.result.metrics
    ? { result: work.result }
    : askAgain(on, `measure-${candidate}`, (name) => tryMeasured(facts, on, name, question));
  if (measured === null) return;
  if (measured.result === undefined) return fail(measured.failure);
  const metrics = measured.result.metrics ?? {};
  const result = { ...told, commit, metrics, diffStat, diff, output, durationMs };
  on.tryCommand(`record-${candidate}`, 'evolution.record-candidate', evolutionId(facts), result);
}

/** What candidates cost that came in when evolution was over counts, too. @returns false while it is told */
function tellLateCosts(
  facts: Facts,
  on: Effector,
  { generation, parent, candidates }: Facts['opened'][number],
): boolean {
  const told = candidates.map((candidate) => {
    if (facts.recorded[candidate]) return true;
    const work = writeCandidate(facts, on, { parent, candidate });
    const costUsd = (work?.result ?? work)?.costUsd ?? null;
    if (costUsd === null) return true;
    const failure = because('evolve', 'it came in when the evolution was over');
    const late = { generation, candidate, costUsd, failure };
    return on.tryCommand(`late-${candidate}`, 'evolution.fail-candidate', evolutionId(facts), late) !== null;
  });
  return told.every(Boolean);
}

const improverOf = (facts: Facts): string => planOf(facts).improver ?? claimOf(facts).agentId;

function writeCandidate(facts: Facts, on: Effector, { parent, candidate }: Omit<CandidateOf, 'generation'>) {
  const plan = planOf(facts);
  const request: RequestOf<'code.work'> = {
    ...inRun(facts),
    agentId: improverOf(facts),
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
    evaluate: false,
  };
  const name = `candidate-${candidate}`;
  const written = writtenByOpenEvolve(facts, on, { parent, name });
  if (written !== undefined) return written;
  return askAgain(on, name, (again) => on.tryCall(again, 'code.work', request, agentSeconds(plan)));
}
