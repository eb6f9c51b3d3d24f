import { goTo, waiting, type Effector, type Outcome } from '../../pipeline/step.ts';
import type { Facts, Feedback, Learned } from '../facts.ts';
import { claimOf, isCommandRun } from './run.ts';

/** How often work may go back within one run. */
export const MOST_SENT_BACK = 1;

/** Gives the work back to its agent, with the reason. */
export function sendBack(facts: Facts, on: Effector, feedback: Feedback, learned: Partial<Facts> = {}): Outcome {
  const { taskId, claimId } = claimOf(facts);
  const told = on.command('send-back', 'task.send-back', taskId, {
    claimId,
    reason: feedback.reason.slice(0, 1_000),
    report: feedback.log,
  });
  if (told === null) return waiting;
  const detail: Learned = { learned: { ...learned, feedback, sentBack: facts.sentBack + 1 } };
  return goTo(isCommandRun(facts) ? 'generate' : 'await-work', detail);
}
