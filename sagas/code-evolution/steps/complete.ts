import type { ResultOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import {
  done,
  doubling,
  type Effector,
  type Ending,
  failed,
  type Outcome,
  type Step,
  waiting,
} from '../../pipeline/definition.ts';
import type { Facts } from '../facts.ts';
import { learnFrom } from './writers.ts';
import { changesCode, checkSeconds, claimOf, inRun, known, planOf } from './run.ts';

/** Measures the result, tidies up, and writes it on the task. */
export const complete: Step<Facts> = {
  name: 'complete',
  retry: { attempts: 5, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const told = tell(facts, on);
    if (told === null) return waiting;
    return told.refusal === undefined || facts.merged ? done(told.result) : failed(told.refusal);
  },
};

/** @returns what was told, and why the task does not take it; null while it is under way */
function tell(facts: Facts, on: Effector) {
  const measured = changesCode(facts) ? measure(facts, on) : nothingMeasured;
  if (measured === null || !learnFrom(facts, on, true)) return null;
  const { taskId, claimId } = claimOf(facts);
  const result = {
    commit: facts.commit,
    branch: facts.branch,
    merged: facts.merged,
    metricsBefore: facts.prepared?.metricsBefore ?? null,
    costUsd: facts.costUsd,
    durationMs: Math.max(0, on.now.getTime() - Date.parse(facts.beganAt ?? on.now.toISOString())),
    ...measured,
    ...(facts.landed !== null && { commit: facts.landed }),
  };
  const told = on.tryCommand('complete', 'task.complete', taskId, { claimId, result });
  return told && { result, refusal: told.failure };
}

const nothingMeasured = { diffStat: null, metricsAfter: null };

function measure(
  facts: Facts,
  on: Effector,
):
  | ({ diffStat: ResultOf<'code.diff'>['diffStat'] | null } & {
      metricsAfter: ResultOf<'code.evaluate'>['metrics'] | null;
    })
  | null {
  const plan = planOf(facts);
  const request = { ...inRun(facts), commit: known(facts.commit), base: known(facts.base) };
  const diff = on.tryCall('diff', 'code.diff', request);
  const after = plan.evaluates ? on.tryCall('measure', 'code.evaluate', request, checkSeconds(plan)) : { result: null };
  const cleaned = diff && after && on.tryCall('cleanup', 'code.cleanup', inRun(facts));
  if (diff === null || after === null || cleaned === null) return null;
  return { diffStat: diff.result?.diffStat ?? null, metricsAfter: after.result?.metrics ?? null };
}

/** After all was undone: the task tells why. A task that was taken away has its reason already; what was merged all the same is done. */
export function failTask(facts: Facts, ending: Ending, on: Effector): Outcome {
  if (facts.merged) {
    const told = tell({ ...facts, ...facts.landing }, on);
    if (told === null) return waiting;
    if (told.refusal === undefined) return done();
  }
  if (!learnFrom(facts, on, false)) return waiting;
  if (ending.outcome === 'cancelled') return done();
  const { taskId, claimId } = claimOf(facts);
  const failure = ending.failure ?? because('unknown', 'no reason was given');
  const answer = facts.asking === null ? undefined : facts.answers[facts.asking];
  const isSaid = failure.step === 'approve' && (answer === 'refuse' || answer === 'send-back');
  const said = isSaid && facts.asking !== null ? { questionId: facts.asking } : {};
  return on.tryCommand('fail', 'task.fail', taskId, { claimId, failure, ...said }) === null ? waiting : done();
}
