import type { ResultOf } from '../../components/catalogue.ts';
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
import { judged, tellJudgement } from './judgements.ts';
import {
  beginsAfter,
  branchOf,
  changesCode,
  claimOf,
  idInRun,
  inRun,
  isCommandRun,
  known,
  MOST_SENT_BACK,
  published,
  runOf,
  sendBack,
  withoutAgent,
} from './run.ts';
import { showCheck, showFindings } from './pull-request.ts';
import { nextChoice } from './winner.ts';

/** Puts the work on a branch of the repository's origin. */
export const publish: Step<Facts> = {
  name: 'publish',
  when: changesCode,
  retry: { attempts: 8, delaySeconds: doubling(2, 60) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const request = { ...inRun(facts), commit: known(facts.commit), base: known(facts.base), branch: branchOf(facts) };
    const onBranch = on.tryCall('publish', 'code.publish', request);
    if (onBranch === null) return waiting;
    if (onBranch.failure !== undefined) {
      const { failure, retryable, fault } = onBranch;
      const next = !retryable && fault === 'work' ? nextChoice(facts) : null;
      return next === null ? failed(failure, retryable, fault) : goTo('publish', { learned: next } satisfies Learned);
    }
    const { branch, commit } = onBranch.result;
    // What was judged has the protected paths of the base, which publishing restores.
    return done({ learned: isJudged(facts) ? { branch, commit } : { branch } } satisfies Learned);
  },
  compensate: (facts, on) => {
    // Work that was judged good stays, whatever refused it later.
    if (isJudged(facts) || Object.values(facts.verdicts).includes('passed')) return done();
    const removed = on.call('delete-branch', 'code.unpublish', { ...inRun(facts), branch: branchOf(facts) });
    return removed === null ? waiting : done();
  },
  learns: { publish: { answered: published } },
};

/** Whether the commit passed its tests in an earlier run; what is rebased is new. */
const isJudged = (facts: Facts): boolean => beginsAfter(facts, 'validate') && facts.rebased === 0;

/** Runs the repository's own tests on the published commit. */
export const validate: Step<Facts> = {
  name: 'validate',
  when: (facts) => changesCode(facts) && !isJudged(facts),
  retry: { attempts: 3, delaySeconds: doubling(2, 30) },
  run: (facts, on) => {
    const validation = idInRun(facts, 'validation', String(on.round));
    if (!request(facts, on, validation)) return waiting;
    const result = judged(facts, on, 'validate', { commit: known(facts.commit), base: known(facts.base) });
    return result === null ? waiting : judge(facts, on, validation, result);
  },
  abandon: (facts, on) => {
    const validation = idInRun(facts, 'validation', String(on.round));
    const told = on.tryCommand('cancel', 'validation.cancel', validation, { reason: facts.stopped ?? 'the run ended' });
    return told === null ? waiting : done();
  },
  learns: { 'publish-judged': { answered: published } },
};

/** Tells the task (a remote agent's submission did that already), then asks for the validation. */
function request(facts: Facts, on: Effector, validation: string): boolean {
  if (on.attempt > 1) return true;
  const { taskId, claimId } = claimOf(facts);
  const commit = known(facts.commit);
  const told =
    !isCommandRun(facts) || on.tryCommand('submit', 'task.submit', taskId, { claimId, commit, summary: null }) !== null;
  if (!told) return false;
  const data = { ...runOf(facts), commit, base: known(facts.base) };
  const sendBackAllowed = facts.sentBack < MOST_SENT_BACK && nextChoice(facts) === null;
  return on.command('request', 'validation.request', validation, { ...data, sendBackAllowed }) !== null;
}

function judge(facts: Facts, on: Effector, validation: string, result: ResultOf<'code.validate'>): Outcome {
  const { failure } = result;
  const told = tellJudgement(on, 'judge', validation, result);
  const verdict = facts.verdicts[validation];
  if (told === null || verdict === undefined) return waiting;
  if (failure !== null && facts.pull !== null && !showCheck(facts, on, 'failure', failure.reason)) return waiting;
  if (failure !== null && !showFindings(facts, on)) return waiting;
  if (failure === null) return accept(facts, on, result);
  const next = nextChoice(facts);
  if (next !== null) return goTo('publish', { learned: next } satisfies Learned);
  if (verdict === 'failed') return failed(claimOf(facts).from === undefined ? failure : withoutAgent(failure));
  return sendBack(facts, on, { reason: failure.reason, log: failure.log, failure }, { commit: result.commit });
}

/** What is merged is what was judged: where protected paths were restored, the branch moves on to that commit. */
function accept(facts: Facts, on: Effector, { commit }: ResultOf<'code.validate'>): Outcome {
  const accepted = done({ learned: { commit } } satisfies Learned);
  if (commit === facts.commit) return accepted;
  const request = { ...inRun(facts), commit, base: known(facts.base), branch: branchOf(facts) };
  return on.call('publish-judged', 'code.publish', request) === null ? waiting : accepted;
}
