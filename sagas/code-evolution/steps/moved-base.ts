import type { ResultOf } from '../../components/catalogue.ts';
import { type Effector, goTo, type Outcome, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import { approveAnew, cancelJudging, mustApprove, type Moving, workOnNewBase } from './new-base.ts';
import { enter, inRound, known, leave, type Leaving, planOf } from './run.ts';

/** GitHub's words for a head that cannot be merged before it is put onto its base: it conflicts, or must be up to date and is not. */
const MOVED: ReadonlySet<string | null> = new Set(['dirty', 'behind']);
/** So often a head may be put onto its base within a run: others who merge faster all the time are a person's matter. */
export const MOST_REBASED = 10;

export const isBehind = ({ mergeableState }: ResultOf<'github.look'>): boolean => MOVED.has(mergeableState);

/**
 * Of all that wait for one base only the next is put onto it: whoever has the turn of the merge queue. It keeps the turn while its new head
 * is checked, and is merged or goes back. Null: it is not its turn, or there was nothing to do.
 */
export function followBase(facts: Facts, on: Effector, look: number): Outcome | null {
  if (facts.moving !== `${on.round}/${on.attempt}/${look}`) {
    if (!facts.queued && !enter(facts, on, inRound('enter', look))) return waiting;
    // As it was seen before its turn came it may be no longer.
    if (!facts.turn || facts.news) return null;
  }
  const anew = 'it is judged again, on the base as it is now';
  if (on.attempt > 1 && !cancelJudging(facts, on, 'cancel-judging', anew)) return waiting;
  const work = { commit: known(facts.commit), base: known(facts.base) };
  const moving: Moving = { step: 'await-merge', round: look, leaveAs: inRound('leave', look) };
  const next = workOnNewBase(facts, on, work, moving);
  if ('is' in next) return next;
  if (next.commit === work.commit) return null;
  const rebased = facts.rebased + 1;
  if (mustApprove(facts, next)) return approveAnew(facts, on, moving, next, rebased);
  const { commit, base } = next;
  const approved = facts.approved === facts.commit ? { approved: commit } : {};
  return goTo('await-merge', { learned: { commit, base, rebased, ...approved } } satisfies Learned);
}

/** Lets the next one have its turn; true as soon as that is told, or where it has no place. */
export const letNext = (facts: Facts, on: Effector, look: number, leaving: Leaving): boolean =>
  !(facts.queued || facts.turn) || leave(facts, on, inRound('leave', look), leaving);

/** Whether a turn that was used is kept no longer: people, or checks of others, let it wait too long. */
export function keptTooLong(facts: Facts, on: Effector): boolean {
  const { turnSeconds = 3_600 } = planOf(facts).pullRequest ?? {};
  return facts.turn && facts.rebased > 0 && on.pause('turn', turnSeconds) && !facts.news;
}
