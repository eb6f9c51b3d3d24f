import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import { type Effector, failed, type Outcome, waiting } from '../../pipeline/definition.ts';
import type { Facts } from '../facts.ts';
import { claimOf } from './run.ts';

/** An agent met a limit of use, in its own words. */
export type Limited = { readonly failure: Failure; readonly until: string | null };

const REASON_LENGTH = 1_000;
const wordsOf = ({ failure }: Limited): string => foreignText(failure.reason, REASON_LENGTH);

/** Lets the agent rest until its limit ends. @returns false while that is under way */
export const letRest = (on: Effector, name: string, agentId: string, limited: Limited): boolean =>
  on.tryCommand(name, 'agent.rest', agentId, { until: limited.until, reason: wordsOf(limited) }) !== null;

/** Lets the run's own agent rest, and gives the task back for anybody: that ends the run, as its release does. */
export function giveBack(facts: Facts, on: Effector, limited: Limited): Outcome {
  const { agentId, taskId, claimId } = claimOf(facts);
  // First the rest: else the agent would take the task again.
  if (!letRest(on, 'rest', agentId, limited)) return waiting;
  const data = { claimId, reason: wordsOf(limited), limit: true } as const;
  const released = on.tryCommand('release', 'task.release', taskId, data);
  return released?.failure === undefined ? waiting : failed(limited.failure);
}
