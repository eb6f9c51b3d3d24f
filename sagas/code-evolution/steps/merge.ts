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
import type { Facts, Learned } from '../facts.ts';
import { changesCode, inRun, known, planOf, sendBack } from './run.ts';

/** Moves the base branch to the validated commit, where the registration says so. */
export const merge: Step<Facts> = {
  name: 'merge',
  when: (facts) => changesCode(facts) && planOf(facts).merge === 'fast-forward',
  retry: { attempts: 5, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const request = { ...inRun(facts), commit: known(facts.commit), base: known(facts.base) };
    const merged = on.call('merge', 'code.merge', request);
    if (merged === null) return waiting;
    if (merged.outcome === 'merged') return done({ learned: { merged: true } } satisfies Learned);
    return facts.rebased === 0 ? rebase(facts, on) : failed(because('merge', 'the base moved again while validating'));
  },
};

/** The base moved meanwhile: the same work on top of it is published and validated again, once. */
function rebase(facts: Facts, on: Effector): Outcome {
  const request = {
    ...inRun(facts),
    commit: known(facts.commit),
    base: known(facts.base),
    label: `rebase-${on.round}`,
  };
  const rebased = on.call('rebase', 'code.rebase', request);
  if (rebased === null) return waiting;
  const learned = { base: rebased.base, rebased: facts.rebased + 1 };
  if (rebased.outcome === 'rebased')
    return goTo('publish', { learned: { ...learned, commit: rebased.commit } } satisfies Learned);
  const feedback = { reason: `the base moved and the work conflicts with it: ${rebased.detail}`, log: null };
  if (facts.sentBack > 0) return failed(because('merge', feedback.reason));
  return sendBack(facts, on, feedback, { ...learned, commit: rebased.base });
}
