import { because } from '../../engine/component.ts';
import { done, doubling, failed, waiting, type Step } from '../../pipeline/step.ts';
import type { Facts, Learned } from '../facts.ts';
import { claimOf, inRun, isCommandRun, known } from './run.ts';
import { MOST_SENT_BACK, sendBack } from './send-back.ts';

/** A remote agent works by itself: wait until it submits a commit, and look whether that is there. */
export const awaitWork: Step<Facts> = {
  name: 'await-work',
  when: (facts) => !isCommandRun(facts),
  retry: { attempts: 3, delaySeconds: doubling(2, 30) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const submission = facts.submissions[on.round - 1];
    if (submission === undefined) return waiting;
    const { commit } = submission;
    if (claimOf(facts).repository === null) return done();
    if (commit === null) {
      const reason = 'no commit was submitted, but the task asks for a change of code';
      return facts.sentBack < MOST_SENT_BACK
        ? sendBack(facts, on, { reason, log: null })
        : failed(because('await-work', reason));
    }
    const request = { ...inRun(facts), commit, base: known(facts.base) };
    const inspected = on.call('inspect', 'code.inspect', request);
    return inspected === null ? waiting : done({ learned: { commit } } satisfies Learned);
  },
};
