import { done, doubling, waiting, type Step } from '../../pipeline/step.ts';
import type { Facts, Learned } from '../facts.ts';
import { changesCode, checkSeconds, inRun } from './run.ts';

/** Finds out where work starts and what the registration asks for; measures the base where it can be measured. */
export const prepare: Step<Facts> = {
  name: 'prepare',
  when: changesCode,
  retry: { attempts: 4, delaySeconds: doubling(2, 30) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const prepared = on.call('prepare', 'code.prepare', inRun(facts));
    if (prepared === null) return waiting;
    const request = { ...inRun(facts), commit: prepared.base };
    const measured = prepared.evaluates
      ? on.tryCall('measure', 'code.evaluate', request, checkSeconds(prepared))
      : { result: null };
    if (measured === null) return waiting;
    const metricsBefore = measured.result?.metrics ?? null;
    const learned = { prepared: { ...prepared, metricsBefore }, base: prepared.base, commit: prepared.base };
    return done({ learned } satisfies Learned);
  },
  compensate: (facts, on) => (on.call('cleanup', 'code.cleanup', inRun(facts)) === null ? waiting : done()),
};
