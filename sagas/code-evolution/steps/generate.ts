import type { WorkRequest } from '../../components/code/requests.ts';
import { done, doubling, failed, waiting, type Step } from '../../pipeline/step.ts';
import type { Facts, Learned } from '../facts.ts';
import { agentSeconds, claimOf, idInRun, inRun, isCommandRun, known, planOf } from './run.ts';

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

const workRequest = (facts: Facts, round: number, attempt: number): WorkRequest => ({
  ...inRun(facts),
  agentId: claimOf(facts).agentId,
  parent: known(facts.commit),
  label: `generate-${round}-${attempt}`,
  prompt: { purpose: 'generate', feedback: facts.feedback, metrics: null },
  evaluate: false,
});
