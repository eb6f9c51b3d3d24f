import type { Effect } from '@workledger/shared/contexts/saga/events.ts';
import { derivedId, idInRun as idInRunOf } from '@workledger/shared/contexts/stream.ts';
import { LATER_STEPS } from '@workledger/shared/contexts/task/task/events.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { Failure } from '@workledger/shared/contexts/values.ts';
import type { CommandInput } from '@workledger/shared/commands/catalogue.ts';
import type { ComponentName, RequestOf, ResultOf } from '../../components/catalogue.ts';
import {
  COMPONENT_ATTEMPTS,
  componentDelaySeconds,
  type Effector,
  failed,
  goTo,
  type Outcome,
  type Settled,
  waiting,
} from '../../pipeline/definition.ts';
import { type Claim, type Facts, type Feedback, type Learned, MOST_SENT_BACK } from '../facts.ts';
import { overBudget } from './budget.ts';

export { MOST_SENT_BACK };

/** What every step may rely on once the run has begun. */
export function claimOf({ claim }: Facts): Claim {
  if (claim === null) throw new Error('the run has no claim yet');
  return claim;
}

/** What `prepare` found out. */
export function planOf({ prepared }: Facts): NonNullable<Facts['prepared']> {
  if (prepared === null) throw new Error('the run is not prepared yet');
  return prepared;
}

/** What names the run. */
export function runOf(facts: Facts): { taskId: string; runId: string; repository: string } {
  const { taskId, claimId, repository } = claimOf(facts);
  return { taskId, runId: claimId, repository: repository ?? '' };
}

/** The part of a component's request that names the run, and what it goes by: the configuration that it began with. */
export function inRun(facts: Facts): ReturnType<typeof runOf> & { configuration?: number } {
  const { configuration } = claimOf(facts);
  return { ...runOf(facts), ...(configuration !== undefined && { configuration }) };
}

/** A commit, or whatever else must be known by now. */
export function known<Value>(value: Value | null): Value {
  if (value === null) throw new Error('not known yet');
  return value;
}

/** An id of the run's own for an aggregate that belongs to it. */
export const idInRun = (facts: Facts, ...parts: readonly string[]): string =>
  idInRunOf(claimOf(facts).claimId, ...parts);

export const changesCode = (facts: Facts): boolean => claimOf(facts).repository !== null;
export const isCommandRun = (facts: Facts): boolean => claimOf(facts).runtime === 'command' && changesCode(facts);

const STEPS = ['generate', ...LATER_STEPS] as const;
/** Whether the run begins after this step, with what earlier runs made: its task was retried from a later one. */
export const beginsAfter = (facts: Facts, step: (typeof STEPS)[number]): boolean =>
  STEPS.indexOf(step) < STEPS.indexOf(claimOf(facts).from ?? 'generate');

/** Seconds for work by an agent: its own limit, and room for Git around it. */
export const agentSeconds = ({ timeouts }: ResultOf<'code.prepare'>): number => timeouts.agent + 120;
/** Seconds for the repository's own commands. */
export const checkSeconds = ({ timeouts }: ResultOf<'code.prepare'>): number => timeouts.check + 120;

/** The branch of the repository's origin that carries the work. */
export const branchOf = (facts: Facts): string => `workledger/${claimOf(facts).taskId}`;

/** Whether neither the work nor an agent was met by it: the origin is away, or this machine failed before an agent began. */
export const isPassing = ({ retryable, fault, prompt }: Extract<Settled<unknown>, { failure: Failure }>): boolean =>
  retryable && (fault === 'origin' || (fault === 'component' && prompt === null));

/** Asks again, under numbered names and with pauses, while what fails is passing: nothing paid is given up for that. */
export function askAgain<Result>(
  on: Effector,
  name: string,
  ask: (name: string) => Settled<Result> | null,
): Settled<Result> | null {
  for (let attempt = 1; ; attempt++) {
    const settled = ask(attempt === 1 ? name : `${name}-again-${attempt}`);
    if (settled === null || settled.failure === undefined) return settled;
    if (!isPassing(settled) || attempt >= COMPONENT_ATTEMPTS) return settled;
    if (!on.pause(`${name}-pause-${attempt}`, componentDelaySeconds(attempt + 1))) return null;
  }
}

const REASON_LENGTH = 300;

/** What earlier candidates failed with, for the prompts of the next ones. */
export const earlierFailures = ({ failedCandidates }: Facts): { readonly earlier?: string[] } =>
  failedCandidates.length === 0
    ? {}
    : {
        earlier: failedCandidates.map(({ step, reason, lastLines }) =>
          `${step}: ${reason}${lastLines.length === 0 ? '' : `: ${lastLines.at(-1)}`}`.slice(0, REASON_LENGTH),
        ),
      };

/** Why no agent can be given it back: its money is spent, as far as that is ours to bound. */
export const unaffordable = (facts: Facts, reason: string): Failure | null =>
  isCommandRun(facts) ? overBudget(facts, reason) : null;

/** Gives the work back to its agent, with the reason. It counts, unless `learned` has its own `sentBack`. */
export function sendBack(facts: Facts, on: Effector, feedback: Feedback, learned: Partial<Facts> = {}): Outcome {
  const over = unaffordable(facts, feedback.reason);
  if (over !== null) return failed({ ...over, log: feedback.log });
  const { taskId, claimId } = claimOf(facts);
  const told = on.command('send-back', 'task.send-back', taskId, {
    claimId,
    reason: foreignText(feedback.reason, 1_000),
    report: feedback.log,
    ...(feedback.questionId !== undefined && { questionId: feedback.questionId }),
  });
  if (told === null) return waiting;
  const detail: Learned = { learned: { feedback, sentBack: facts.sentBack + 1, chosen: null, ...learned } };
  return goTo(isCommandRun(facts) ? 'generate' : 'await-work', detail);
}

/** Whether it is merged on its host, by a pull request. */
export const byPullRequest = (facts: Facts): boolean => changesCode(facts) && planOf(facts).merge === 'pull-request';
/** Whether Workledger itself merges it. */
export const mergesItself = (facts: Facts): boolean =>
  changesCode(facts) && !byPullRequest(facts) && planOf(facts).merge !== 'never';

/** Where no agent holds the task, nobody can be given the work back. */
export const withoutAgent = (failure: Failure): Failure => ({
  ...failure,
  reason: `${failure.reason} (no agent worked in this run: retry from generate to give it to one)`,
});

/** The names of the first round are those that runs of before asked under. */
export const inRound = (name: string, round: number): string => (round === 1 ? name : `${name}-${round}`);

const queueOf = (facts: Facts): string =>
  derivedId('merge-queue', inRun(facts).repository, planOf(facts).baseBranch ?? '');

/** Queues for the base branch; true as soon as that is told. A refusal fails the step. */
export function enter(facts: Facts, on: Effector, name: string): boolean {
  const { taskId, runId, repository } = inRun(facts);
  const place = { taskId, runId, repository, baseBranch: planOf(facts).baseBranch ?? null };
  return on.command(name, 'merge-queue.enter', queueOf(facts), place) !== null;
}

export type Leaving = Pick<CommandInput<'merge-queue.leave'>, 'outcome' | 'reason'>;

/** How the queue is left by a run that was stopped. */
export const leavingOf = ({ merged }: Facts, reason: string): Leaving =>
  merged ? { outcome: 'merged', reason: null } : { outcome: 'left', reason };

/** Gives turn or place away; true as soon as that is told. */
export function leave(facts: Facts, on: Effector, name: string, leaving: Leaving): boolean {
  const { taskId, claimId } = claimOf(facts);
  const reason = leaving.reason && foreignText(leaving.reason, 1_000);
  const data = { taskId, runId: claimId, ...leaving, reason };
  return on.tryCommand(name, 'merge-queue.leave', queueOf(facts), data) !== null;
}

/** The branch was moved: what it changes now. */
export const published = (facts: Facts, result: unknown): Facts => ({
  ...facts,
  change: (result as ResultOf<'code.publish'>).change,
});

/** What a component is asked by an effect that calls it. */
export const requestOf = <Name extends ComponentName>(effect: Effect): RequestOf<Name> =>
  (effect.kind === 'call' ? effect.request : {}) as RequestOf<Name>;
