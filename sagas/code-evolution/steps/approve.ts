import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { because } from '../../engine/component.ts';
import { done, type Effector, failed, type Outcome, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import { checksOf } from './pull-request.ts';
import { byPullRequest, claimOf, inRun, known, mergesItself, planOf, sendBack, withoutAgent } from './run.ts';

const OPERATORS = { kind: 'role', role: 'operator' } as const;

/** Whom the registration names to approve merges; operators, where a check could not tell and a person is to say; null: nobody need. */
export const approverOf = (facts: Facts) => {
  const named = mergesItself(facts) ? (planOf(facts).approval ?? null) : null;
  return named ?? (mergesAlone(facts) && checksOf(facts).some(({ verdict }) => verdict === 'asks') ? OPERATORS : null);
};

/** Whether nobody looks at the work before it is merged: whoever merges it by hand has looked. */
const mergesAlone = (facts: Facts): boolean =>
  mergesItself(facts) || (byPullRequest(facts) && planOf(facts).pullRequest?.mergedBy === 'workledger');

/**
 * Asks for the approval of the commit, where the registration says so, and waits for it: before the merge queue, since a person may
 * take days. What is approved is this commit; it stays approved for later runs of the task.
 */
export const approve: Step<Facts> = {
  name: 'approve',
  when: (facts) => approverOf(facts) !== null && facts.approved !== facts.commit,
  run: (facts, on) => {
    const commit = known(facts.commit);
    const questionId = ask(facts, on, commit);
    if (questionId === null) return waiting;
    if (questionId === 'approved') return done({ learned: { approved: commit } } satisfies Learned);
    if (!tell(facts, on, { questionId, commit })) return waiting;
    switch (facts.answers[questionId]) {
      case 'approve':
        return done({ learned: { approved: commit } } satisfies Learned);
      case 'refuse':
        return failed(because('approve', 'a person refused the merge'));
      case 'send-back':
        return back(facts, on, questionId);
      default:
        return waiting;
    }
  },
  abandon: (facts, on) => {
    if (facts.asking === null) return done();
    const reason = facts.stopped ?? 'the run ended';
    return on.tryCommand('withdraw', 'question.withdraw', facts.asking, { reason }) === null ? waiting : done();
  },
};

/** The question that this run asks about the commit; `approved`: somebody has said so before. Null while that is not known. */
function ask(facts: Facts, on: Effector, commit: string): string | null {
  const { taskId, runId } = inRun(facts);
  const data = { taskId, runId, commit, base: known(facts.base), askee: known(approverOf(facts)) };
  for (let number = 1; ; number++) {
    const questionId = derivedId('approval', taskId, commit, String(number));
    if (facts.answers[questionId] === 'spent') continue;
    const asked = on.command(`ask-${number}`, 'question.ask-approval', questionId, data);
    if (asked === null) return null;
    if (asked.details['stands'] === 'approved') return 'approved';
    // What another run of the task asked, and what came of it, was about that attempt.
    if (asked.details['stands'] === 'asked') return questionId;
  }
}

/** Tells the task what it waits for. Its agent may do something else meanwhile. */
function tell(facts: Facts, on: Effector, asked: { readonly questionId: string; readonly commit: string }): boolean {
  const { taskId, claimId, agentId } = claimOf(facts);
  if (on.command('await', 'task.await-approval', taskId, { claimId, ...asked }) === null) return false;
  const reason = 'its work waits for an approval';
  return on.tryCommand('free', 'agent.release', agentId, { claimId, reason }) !== null;
}

/** A person's words count apart from what the work's own faults allow. */
function back(facts: Facts, on: Effector, questionId: string): Outcome {
  const reason = 'a person sent the work back';
  if (claimOf(facts).from !== undefined) return failed(withoutAgent(because('approve', reason)));
  const answers = { ...facts.answers, [questionId]: 'spent' as const };
  return sendBack(facts, on, { reason, log: null, questionId }, { sentBack: facts.sentBack, answers });
}
