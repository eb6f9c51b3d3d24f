import type { RequestOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import { done, doubling, type Effector, failed, type Step, waiting } from '../../pipeline/definition.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { Facts, Feedback, Learned } from '../facts.ts';
import { failedWithin, spentBefore } from './budget.ts';
import { giveBack, letRest } from './rest.ts';
import { ofWriting, stopCodegen, write, writersOf } from './writers.ts';
import {
  beginsAfter,
  changesCode,
  checkSeconds,
  claimOf,
  idInRun,
  inRun,
  isCommandRun,
  isPassing,
  known,
  MOST_SENT_BACK,
  sendBack,
} from './run.ts';

/** Finds out where work starts and what the registration asks for; measures the base where it can be measured. */
export const prepare: Step<Facts> = {
  name: 'prepare',
  when: changesCode,
  retry: { attempts: 4, delaySeconds: doubling(2, 30) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const { commit } = facts;
    const prepared = on.call('prepare', 'code.prepare', { ...inRun(facts), ...(commit !== null && { commit }) });
    if (prepared === null) return waiting;
    const base = facts.base ?? prepared.base;
    const request = { ...inRun(facts), commit: base, base };
    const measured = prepared.evaluates
      ? on.tryCall('measure', 'code.evaluate', request, checkSeconds(prepared))
      : { result: null };
    if (measured === null) return waiting;
    const metricsBefore = measured.result?.metrics ?? null;
    const learned = { prepared: { ...prepared, metricsBefore }, base, commit: commit ?? base };
    return done({ learned } satisfies Learned);
  },
  compensate: (facts, on) => (on.call('cleanup', 'code.cleanup', inRun(facts)) === null ? waiting : done()),
};

/** What is no attempt of the agent's is bounded where it is tried again: by the kind of failure. */
const ANY = 1_000;

/** A configured agent writes the code, or whoever else may and is likely to do it for less; the next one where one fails. */
export const generate: Step<Facts> = {
  name: 'generate',
  when: (facts) => isCommandRun(facts) && !beginsAfter(facts, 'generate'),
  retry: { attempts: ANY, delaySeconds: doubling(1, 30) },
  run: (facts, on) => {
    const spent = spentBefore(facts);
    if (spent !== null) return failed(spent);
    const { agentId, taskId, claimId } = claimOf(facts);
    const parent = known(facts.commit);
    const generation = idInRun(facts, 'generation', String(on.round));
    const writers = writersOf(facts, on);
    if (writers === null) return waiting;
    const number = agentsAttempt(facts, on);
    const attempt = { attempt: number, strategy: writers[number - 1] ?? agentId };
    const next = writers[number];
    const asked =
      on.attempt > 1 ||
      on.command('request', 'generation.request', generation, {
        taskId,
        runId: claimId,
        repository: inRun(facts).repository,
        base: parent,
        prompt: null,
        strategies: [...writers],
      }) !== null;
    const started = asked ? on.command('start', 'generation.start-attempt', generation, attempt) : null;
    const work = started && write(facts, on, attempt, workRequest(facts, on.round, on.attempt));
    if (work === null) return waiting;
    if (work.failure !== undefined) {
      // An origin that is away for a while, or this machine before the agent began, is no attempt of the agent's.
      if (isPassing(work)) return failed(work.failure, true, work.fault);
      if (work.fault === 'limit') {
        if (next === undefined || next === attempt.strategy) return giveBack(facts, on, work);
        if (!letRest(on, 'rest', agentId, work)) return waiting;
      }
      const noted = { ...attempt, failure: work.failure, costUsd: work.costUsd };
      const told = on.tryCommand('note', 'generation.fail-attempt', generation, noted);
      if (told === null) return waiting;
      const mayTryAgain = next !== undefined && (work.retryable || next !== attempt.strategy);
      return failedWithin(facts, afterSendBack(facts, work.failure), mayTryAgain);
    }
    const { commit, diffStat, diff, output, costUsd, durationMs } = work.result;
    const result = { ...attempt, commit, diffStat, diff, output, costUsd, durationMs };
    const told = on.command('note', 'generation.succeed', generation, result);
    return told === null ? waiting : done({ learned: { commit } } satisfies Learned);
  },
  abandon: (facts, on) => {
    if (facts.codegen !== null && !stopCodegen(facts, on, facts.codegen)) return waiting;
    const generation = idInRun(facts, 'generation', String(on.round));
    const told = on.tryCommand('cancel', 'generation.cancel', generation, { reason: facts.stopped ?? 'the run ended' });
    return told === null ? waiting : done();
  },
  learns: ofWriting,
};

/** Commits of one run that are refused before anything is judged. */
const MOST_REFUSED = 20;

/** What sent the work back stays what is wrong with it; what came of the second try is said, too. */
function afterSendBack({ feedback }: Facts, failure: Failure): Failure {
  const first = feedback?.failure;
  return first === undefined
    ? failure
    : { ...first, reason: foreignText(`${first.reason}. It was sent back, and then: ${failure.reason}`, 4_000) };
}

/** Which attempt of its agent this is, in this round: from 1. */
const agentsAttempt = ({ told }: Facts, { round, attempt }: Effector): number =>
  1 + told.filter((key) => key.startsWith(`${round}/`) && key !== `${round}/${attempt}`).length;

const told = (feedback: Feedback | null) => feedback && { reason: feedback.reason, log: feedback.log };

const workRequest = (facts: Facts, round: number, attempt: number): RequestOf<'code.work'> => ({
  ...inRun(facts),
  agentId: claimOf(facts).agentId,
  parent: known(facts.commit),
  base: known(facts.base),
  label: `generate-${round}-${attempt}`,
  prompt: { purpose: 'generate', ...feedbackOf(facts), metrics: null },
  evaluate: false,
});

/** What sent the work back, with its output, and shortly what the attempts since came to; before it was sent back, the last attempt's failure. */
function feedbackOf({ lastFailure, feedback }: Facts): Pick<RequestOf<'code.work'>['prompt'], 'feedback' | 'earlier'> {
  if (lastFailure === null) return { feedback: told(feedback) };
  const { reason, log } = lastFailure;
  return feedback === null ? { feedback: { reason, log } } : { feedback: told(feedback), earlier: [reason] };
}

/** A remote agent works by itself: wait until it submits a commit, and look whether that is there. */
export const awaitWork: Step<Facts> = {
  name: 'await-work',
  when: (facts) => !isCommandRun(facts) && !beginsAfter(facts, 'generate'),
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
    const inspected = on.tryCall('inspect', 'code.inspect', request);
    if (inspected === null) return waiting;
    if (inspected.failure === undefined) return done({ learned: { commit } } satisfies Learned);
    const { failure, retryable, fault } = inspected;
    if (retryable || fault !== 'work' || on.round > MOST_REFUSED) return failed(failure, retryable);
    // Not pushed, or not on top of the base: its agent can mend that, and no test has run for it.
    return sendBack(facts, on, { reason: failure.reason, log: null }, { sentBack: facts.sentBack });
  },
};
