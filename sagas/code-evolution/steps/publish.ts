import { done, doubling, waiting, type Step } from '../../pipeline/step.ts';
import type { Facts, Learned } from '../facts.ts';
import { branchOf, changesCode, inRun, known } from './run.ts';

/** Puts the work on a branch of the repository's origin. */
export const publish: Step<Facts> = {
  name: 'publish',
  when: changesCode,
  retry: { attempts: 8, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const request = { ...inRun(facts), commit: known(facts.commit), branch: branchOf(facts) };
    const published = on.call('publish', 'code.publish', request);
    return published === null ? waiting : done({ learned: { branch: published.branch } } satisfies Learned);
  },
  compensate: (facts, on) => {
    const removed = on.call('delete-branch', 'code.unpublish', { ...inRun(facts), branch: branchOf(facts) });
    return removed === null ? waiting : done();
  },
};
