import { because } from '../../engine/component.ts';
import type { Ending } from '../../pipeline/state.ts';
import { done, waiting, type Effector, type Outcome } from '../../pipeline/step.ts';
import type { Facts } from '../facts.ts';
import { claimOf } from './run.ts';

/** After all was undone: the task tells why. A task that was taken away has its reason already. */
export function failTask(facts: Facts, ending: Ending, on: Effector): Outcome {
  if (ending.outcome === 'cancelled') return done();
  const { taskId, claimId } = claimOf(facts);
  const failure = ending.failure ?? because('unknown', 'no reason was given');
  return on.tryCommand('fail', 'task.fail', taskId, { claimId, failure }) === null ? waiting : done();
}
