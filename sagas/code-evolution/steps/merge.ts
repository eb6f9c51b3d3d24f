import type { ResultOf } from '../../components/catalogue.ts';
import { done, doubling, type Effector, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import {
  approveAnew,
  cancelJudging,
  type Moving,
  mustApprove,
  ofNewBase,
  type Work,
  workOnNewBase,
} from './new-base.ts';
import { askAgain, enter, inRound, inRun, known, leave, leavingOf, mergesItself, requestOf } from './run.ts';

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
    const anew = 'it is judged again, on the base as it is now';
    if (on.attempt > 1 && !cancelJudging(facts, on, 'cancel-judging', anew)) return waiting;
    let work: Work = { commit: known(facts.commit), base: known(facts.base) };
    for (let round = 1; ; round++) {
      if (round > 2 && !on.pause(inRound('pause', round), pauseSeconds(round))) return waiting;
      const merged = on.call(inRound('merge', round), 'code.merge', { ...inRun(facts), ...work });
      if (merged === null) return waiting;
      const rebased = facts.rebased + round - 1;
      if (merged.outcome === 'merged') return land(facts, on, { ...work, commit: merged.commit, rebased });
      const moving: Moving = { step: 'merge', round, leaveAs: leaveName(facts) };
      const next = workOnNewBase(facts, on, work, moving);
      if ('is' in next) return next;
      if (mustApprove(facts, next)) return approveAnew(facts, on, moving, next, facts.rebased + round);
      work = next;
    }
  },
  abandon: (facts, on) => {
    if (facts.merging !== null && look(facts, on, facts.merging) === null) return waiting;
    const reason = facts.stopped ?? 'the run ended';
    const left = leave(facts, on, leaveName(facts), leavingOf(facts, reason));
    const cancelled = cancelJudging(facts, on, 'cancel', reason);
    return left && cancelled ? done() : waiting;
  },
  learns: {
    ...ofNewBase,
    merge: {
      asked: (facts, effect) => {
        const { commit, base } = requestOf<'code.merge'>(effect);
        return { ...facts, merging: { commit, base, isStopped: false } };
      },
      answered: landing,
      // A passing failure, and one that was asked for, do not tell whether it was done.
      failed: (facts, { retryable }) =>
        retryable || facts.merging?.isStopped === true ? facts : { ...facts, merging: null },
      stopped: (facts) =>
        facts.merging === null ? facts : { ...facts, merging: { ...facts.merging, isStopped: true } },
    },
    'undo/look': { answered: landing },
    'undo/look-again': { answered: landing },
  },
};

function landing(facts: Facts, result: unknown): Facts {
  const { outcome, commit, base } = result as ResultOf<'code.landed'>;
  if (outcome !== 'merged') return { ...facts, merging: null, landing: null };
  return { ...facts, merging: null, landing: { commit, base }, merged: true };
}

/** Asked to stop, or without an answer, it may have been done all the same. */
const look = (facts: Facts, on: Effector, { commit, base }: Work) =>
  askAgain(on, 'look', (name) => on.tryCall(name, 'code.landed', { ...inRun(facts), commit, base }));

const pauseSeconds = doubling(1, 60);
/** A person may have taken its place before. */
const leaveName = ({ released }: Facts): string => inRound('leave', released + 1);

/** Queues, once more where a person took its place, and says whether it is this run's turn. */
const takeTurn = (facts: Facts, on: Effector): boolean =>
  enter(facts, on, inRound('enter', facts.released + 1)) && facts.turn;

function land(facts: Facts, on: Effector, landed: Work & { readonly rebased: number }): Outcome {
  const left = leave(facts, on, leaveName(facts), { outcome: 'merged', reason: null });
  return left ? done({ learned: { ...landed, merged: true, turn: false } } satisfies Learned) : waiting;
}
