import type { ResultOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import { type Effector, failed, goTo, type Lessons, type Outcome, waiting } from '../../pipeline/definition.ts';
import type { Facts, Feedback, Learned } from '../facts.ts';
import { approverOf } from './approve.ts';
import { judged, tellJudgement } from './judgements.ts';
import { branchOf, claimOf, idInRun, inRound, inRun, leave, published, runOf, sendBack, withoutAgent } from './run.ts';
import { nextChoice } from './winner.ts';

/** How often work that had passed may go back because of what others merged meanwhile, beside what its own faults allow. */
const MOST_OVERTAKEN = 3;

export type Work = { readonly commit: string; readonly base: string };
export type OnNewBase = Work & { readonly samePatch: boolean };

/** Where a step is that puts work onto a base that moved: its effects are named by the round, and it leaves the queue under this name. */
export type Moving = { readonly step: 'merge' | 'await-merge'; readonly round: number; readonly leaveAs: string };

/** The same work on the base as it is now, published and judged there; what follows instead where that cannot be. */
export function workOnNewBase(facts: Facts, on: Effector, work: Work, moving: Moving): OnNewBase | Outcome {
  const { round } = moving;
  const label = inRound(`rebase-${on.round}`, round);
  const rebased = on.call(inRound('rebase', round), 'code.rebase', { ...inRun(facts), ...work, label });
  if (rebased === null) return waiting;
  const { base } = rebased;
  if (rebased.outcome === 'conflict') {
    const reason = `the base moved to ${base} and the work conflicts with it: ${rebased.detail}`;
    return overtaken(facts, on, moving, { reason, log: rebased.report ?? null }, { commit: base, base });
  }
  if (moving.step === 'await-merge' && rebased.commit === work.commit) return { ...work, samePatch: true };
  const onBranch = { ...inRun(facts), commit: rebased.commit, base, branch: branchOf(facts) };
  const onIt = on.call(inRound('publish', round), 'code.publish', onBranch);
  if (onIt === null) return waiting;
  const judged = judge(facts, on, { commit: onIt.commit, base }, round);
  if (judged === null) return waiting;
  const { commit, failure } = judged;
  const samePatch = rebased.samePatch === true && commit === rebased.commit;
  if (failure === null) return { commit, base, samePatch };
  const reason = `the work passed on ${work.base}, but not on ${base}, which others have merged to since: ${failure.reason}`;
  return overtaken(facts, on, moving, { reason, log: failure.log }, { commit, base });
}

/** Whether somebody must say that this may be merged, and nobody said it of the same change. */
export const mustApprove = (facts: Facts, { commit, base, samePatch }: OnNewBase): boolean =>
  approverOf({ ...facts, commit, base }) !== null && !(samePatch && facts.approved === facts.commit);

/** What was approved is another change than this: nobody else waits while a person looks at it. */
export function approveAnew(facts: Facts, on: Effector, { leaveAs }: Moving, { commit, base }: Work, rebased: number) {
  const reason = 'on what others merged it is another change than was approved';
  if (!leave(facts, on, leaveAs, { outcome: 'sent-back', reason })) return waiting;
  return goTo('approve', { learned: { commit, base, rebased, turn: false } } satisfies Learned);
}

/** What is learned on the way there, by either step. */
export const ofNewBase = {
  publish: { answered: published },
  request: { asked: (facts, effect) => (effect.kind === 'command' ? { ...facts, judging: effect.target } : facts) },
} satisfies Lessons<Facts>;

/** The repository's own tests on the commit. */
function judge(facts: Facts, on: Effector, work: Work, round: number): ResultOf<'code.validate'> | null {
  const validation = idInRun(facts, 'validation', 'merge', String(on.round), String(on.attempt), String(round));
  const asked = { ...runOf(facts), ...work };
  const sendBackAllowed = facts.overtaken < MOST_OVERTAKEN && nextChoice(facts) === null;
  const request = { ...asked, sendBackAllowed };
  if (on.command(inRound('request', round), 'validation.request', validation, request) === null) return null;
  const result = judged(facts, on, inRound('validate', round), work);
  if (result === null) return null;
  return tellJudgement(on, inRound('judge', round), validation, result) === null ? null : result;
}

/** What an attempt of this step before asked for is answered by nobody; true as soon as that is told. */
export const cancelJudging = (facts: Facts, on: Effector, name: string, reason: string): boolean =>
  facts.judging === null || on.tryCommand(name, 'validation.cancel', facts.judging, { reason }) !== null;

/** Work that others were faster than: evolution's next choice takes its place, or it goes back, and gives its turn away first: the next attempt starts from what they merged. */
function overtaken(facts: Facts, on: Effector, { step, leaveAs }: Moving, feedback: Feedback, start: Work): Outcome {
  const left = (): boolean => leave(facts, on, leaveAs, { outcome: 'sent-back', reason: feedback.reason });
  const next = nextChoice(facts);
  if (next !== null) return left() ? goTo('publish', { learned: { ...next, turn: false } } satisfies Learned) : waiting;
  if (facts.overtaken >= MOST_OVERTAKEN) return failed(because(step, feedback.reason));
  if (claimOf(facts).from !== undefined)
    return failed(withoutAgent({ ...because(step, feedback.reason), log: feedback.log }));
  if (!left()) return waiting;
  const counts = { sentBack: facts.sentBack, overtaken: facts.overtaken + 1, rebased: facts.rebased + 1 };
  return sendBack(facts, on, feedback, { ...start, ...counts, turn: false });
}
