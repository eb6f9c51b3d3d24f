import type { RequestOf } from '../../components/catalogue.ts';
import { because } from '../../engine/component.ts';
import { done, doubling, failed, type Step, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import {
  agentSeconds,
  changesCode,
  checkSeconds,
  claimOf,
  idInRun,
  inRun,
  isCommandRun,
  known,
  MOST_SENT_BACK,
  planOf,
  sendBack,
} from './run.ts';

/** Finds out where work starts and what the registration asks for; measures the base where it can be measured. */
export const prepare: Step<Facts> = {
  name: 'prepare',
  when: changesCode,
  retry: { attempts: 4, delaySeconds: doubling(2, 30) },
  timeoutSeconds: 300,
  run: (facts, on) => {
    const prepared = on.call('prepare', 'code.prepare', inRun(facts));
    if (prepared === null) return waiting;
    const request = { ...inRun(facts), commit: prepared.base, base: prepared.base };
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

const ATTEMPTS = 2;

/** A configured agent writes the code. */
export const generate: Step<Facts> = {
  name: 'generate',
  when: isCommandRun,
  retry: { attempts: ATTEMPTS, delaySeconds: doubling(1, 30) },
  run: (facts, on) => {
    const { agentId, taskId, claimId } = claimOf(facts);
    const parent = known(facts.commit);
    const generation = idInRun(facts, 'generation', String(on.round));
    const attempt = { attempt: on.attempt, strategy: agentId };
    const asked =
      on.attempt > 1 ||
      on.command('request', 'generation.request', generation, {
        taskId,
        runId: claimId,
        repository: inRun(facts).repository,
        base: parent,
        prompt: null,
        strategies: Array<string>(ATTEMPTS).fill(agentId),
      }) !== null;
    const started = asked ? on.command('start', 'generation.start-attempt', generation, attempt) : null;
    const work =
      started && on.tryCall('work', 'code.work', workRequest(facts, on.round, on.attempt), agentSeconds(planOf(facts)));
    if (work === null) return waiting;
    if (work.failure !== undefined) {
      const noted = { ...attempt, failure: work.failure, costUsd: work.costUsd };
      const told = on.tryCommand('note', 'generation.fail-attempt', generation, noted);
      return told === null ? waiting : failed(work.failure, work.retryable);
    }
    const { commit, diffStat, diff, output, costUsd, durationMs } = work.result;
    const result = { ...attempt, commit, diffStat, diff, output, costUsd, durationMs };
    const told = on.command('note', 'generation.succeed', generation, result);
    return told === null ? waiting : done({ learned: { commit } } satisfies Learned);
  },
  abandon: (facts, on) => {
    const generation = idInRun(facts, 'generation', String(on.round));
    const told = on.tryCommand('cancel', 'generation.cancel', generation, { reason: facts.stopped ?? 'the run ended' });
    return told === null ? waiting : done();
  },
};

const workRequest = (facts: Facts, round: number, attempt: number): RequestOf<'code.work'> => ({
  ...inRun(facts),
  agentId: claimOf(facts).agentId,
  parent: known(facts.commit),
  base: known(facts.base),
  label: `generate-${round}-${attempt}`,
  prompt: { purpose: 'generate', ...feedbackOf(facts), metrics: null },
  evaluate: false,
});

/** The last attempt's failure, with its output; what sent the work back before it is told shortly. */
function feedbackOf({ lastFailure, feedback }: Facts): Pick<RequestOf<'code.work'>['prompt'], 'feedback' | 'earlier'> {
  if (lastFailure === null) return { feedback };
  const { reason, log } = lastFailure;
  return { feedback: { reason, log }, ...(feedback === null ? {} : { earlier: [feedback.reason] }) };
}

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
