import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { CommandInput } from '@workledger/shared/commands/catalogue.ts';
import type { ResultOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import {
  done,
  doubling,
  type Effector,
  failed,
  goTo,
  type Outcome,
  type Step,
  waiting,
} from '../../pipeline/definition.ts';
import type { Facts, Feedback, Learned } from '../facts.ts';
import { approverOf } from './approve.ts';
import { judged, tellJudgement } from './judge.ts';
import { branchOf, claimOf, idInRun, inRun, known, mergesItself, planOf, sendBack, withoutAgent } from './run.ts';
import { nextChoice } from './winner.ts';

/** How often work that had passed may go back because of what others merged meanwhile, beside what its own faults allow. */
const MOST_OVERTAKEN = 3;

/**
 * Moves the base branch to the validated commit, where the registration says so, in turn: who has the turn of its repository and base
 * branch puts its work onto what the others merged, lets it be judged there and merges it, as often as somebody outside is faster.
 */
export const merge: Step<Facts> = {
  name: 'merge',
  when: mergesItself,
  retry: { attempts: 5, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    // A run of before the queue may be merged without a turn.
    if (!facts.merged && !takeTurn(facts, on)) return waiting;
    // What an attempt before asked for is answered by nobody.
    if (on.attempt > 1 && facts.judging !== null) {
      const reason = 'it is judged again, on the base as it is now';
      if (on.tryCommand('cancel-judging', 'validation.cancel', facts.judging, { reason }) === null) return waiting;
    }
    let work: Work = { commit: known(facts.commit), base: known(facts.base) };
    for (let round = 1; ; round++) {
      if (round > 2 && !on.pause(inRound('pause', round), pauseSeconds(round))) return waiting;
      const merged = on.call(inRound('merge', round), 'code.merge', { ...inRun(facts), ...work });
      if (merged === null) return waiting;
      const rebased = facts.rebased + round - 1;
      if (merged.outcome === 'merged') return land(facts, on, { ...work, commit: merged.commit, rebased });
      const next = workOnNewBase(facts, on, work, round);
      if ('is' in next) return next;
      if (mustApprove(facts, next)) return approveAnew(facts, on, next, facts.rebased + round);
      work = next;
    }
  },
  abandon: (facts, on) => {
    const reason = facts.stopped ?? 'the run ended';
    const left = leave(facts, on, { outcome: 'left', reason });
    const cancelled =
      facts.judging === null || on.tryCommand('cancel', 'validation.cancel', facts.judging, { reason }) !== null;
    return left && cancelled ? done() : waiting;
  },
};

type Work = { readonly commit: string; readonly base: string };

/** The names of the first round are those that runs of before asked under. */
const inRound = (name: string, round: number): string => (round === 1 ? name : `${name}-${round}`);
const pauseSeconds = doubling(1, 60);

const queueOf = (facts: Facts): string =>
  derivedId('merge-queue', inRun(facts).repository, planOf(facts).baseBranch ?? '');

/** Queues, once more where a person took its place, and says whether it is this run's turn. */
function takeTurn(facts: Facts, on: Effector): boolean {
  const { taskId, runId, repository } = inRun(facts);
  const place = { taskId, runId, repository, baseBranch: planOf(facts).baseBranch ?? null };
  return (
    on.command(inRound('enter', facts.released + 1), 'merge-queue.enter', queueOf(facts), place) !== null && facts.turn
  );
}

type Leaving = Pick<CommandInput<'merge-queue.leave'>, 'outcome' | 'reason'>;

/** Gives turn or place away; true as soon as that is told. */
function leave(facts: Facts, on: Effector, leaving: Leaving): boolean {
  const { taskId, claimId } = claimOf(facts);
  const reason = leaving.reason && foreignText(leaving.reason, 1_000);
  const data = { taskId, runId: claimId, ...leaving, reason };
  return on.tryCommand(inRound('leave', facts.released + 1), 'merge-queue.leave', queueOf(facts), data) !== null;
}

function land(facts: Facts, on: Effector, landed: Work & { readonly rebased: number }): Outcome {
  const left = leave(facts, on, { outcome: 'merged', reason: null });
  return left ? done({ learned: { ...landed, merged: true, turn: false } } satisfies Learned) : waiting;
}

/** The same work on the base as it is now, published and judged there; what follows instead where that cannot be. */
function workOnNewBase(
  facts: Facts,
  on: Effector,
  work: Work,
  round: number,
): (Work & { readonly samePatch: boolean }) | Outcome {
  const label = inRound(`rebase-${on.round}`, round);
  const rebased = on.call(inRound('rebase', round), 'code.rebase', { ...inRun(facts), ...work, label });
  if (rebased === null) return waiting;
  const { base } = rebased;
  if (rebased.outcome === 'conflict') {
    const reason = `the base moved to ${base} and the work conflicts with it: ${rebased.detail}`;
    return overtaken(facts, on, { reason, log: rebased.report ?? null }, { commit: base, base });
  }
  const onBranch = { ...inRun(facts), commit: rebased.commit, base, branch: branchOf(facts) };
  const published = on.call(inRound('publish', round), 'code.publish', onBranch);
  if (published === null) return waiting;
  const judged = judge(facts, on, { commit: published.commit, base }, round);
  if (judged === null) return waiting;
  const { commit, failure } = judged;
  const samePatch = rebased.samePatch === true && commit === rebased.commit;
  if (failure === null) return { commit, base, samePatch };
  const reason = `the work passed on ${work.base}, but not on ${base}, which others have merged to since: ${failure.reason}`;
  return overtaken(facts, on, { reason, log: failure.log }, { commit, base });
}

/** Whether somebody must say that this may be merged, and nobody said it of the same change. */
const mustApprove = (facts: Facts, { commit, base, samePatch }: Work & { readonly samePatch: boolean }): boolean =>
  approverOf({ ...facts, commit, base }) !== null && !(samePatch && facts.approved === facts.commit);

/** What was approved is another change than this: nobody else waits while a person looks at it. */
function approveAnew(facts: Facts, on: Effector, { commit, base }: Work, rebased: number): Outcome {
  const reason = 'on what others merged it is another change than was approved';
  if (!leave(facts, on, { outcome: 'sent-back', reason })) return waiting;
  return goTo('approve', { learned: { commit, base, rebased, turn: false } } satisfies Learned);
}

/** The repository's own tests on the commit. */
function judge(facts: Facts, on: Effector, work: Work, round: number): ResultOf<'code.validate'> | null {
  const validation = idInRun(facts, 'validation', 'merge', String(on.round), String(on.attempt), String(round));
  const asked = { ...inRun(facts), ...work };
  const sendBackAllowed = facts.overtaken < MOST_OVERTAKEN && nextChoice(facts) === null;
  const request = { ...asked, sendBackAllowed };
  if (on.command(inRound('request', round), 'validation.request', validation, request) === null) return null;
  const result = judged(facts, on, inRound('validate', round), work);
  if (result === null) return null;
  return tellJudgement(on, inRound('judge', round), validation, result) === null ? null : result;
}

/** Work that others were faster than: evolution's next choice takes its place, or it goes back, and gives its turn away first: the next attempt starts from what they merged. */
function overtaken(facts: Facts, on: Effector, feedback: Feedback, start: Work): Outcome {
  const next = nextChoice(facts);
  if (next !== null) {
    if (!leave(facts, on, { outcome: 'sent-back', reason: feedback.reason })) return waiting;
    return goTo('publish', { learned: { ...next, turn: false } } satisfies Learned);
  }
  if (facts.overtaken >= MOST_OVERTAKEN) return failed(because('merge', feedback.reason));
  if (claimOf(facts).from !== undefined)
    return failed(withoutAgent({ ...because('merge', feedback.reason), log: feedback.log }));
  if (!leave(facts, on, { outcome: 'sent-back', reason: feedback.reason })) return waiting;
  const counts = { sentBack: facts.sentBack, overtaken: facts.overtaken + 1, rebased: facts.rebased + 1 };
  return sendBack(facts, on, feedback, { ...start, ...counts, turn: false });
}
