import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { ResultOf } from '../../components/catalogue.ts';
import { type Effector, goTo, type Outcome, waiting } from '../../pipeline/definition.ts';
import type { Claim, Facts, Feedback, Learned } from '../facts.ts';

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

/** The part of a component's request that names the run. */
export function inRun(facts: Facts): { taskId: string; runId: string; repository: string } {
  const { taskId, claimId, repository } = claimOf(facts);
  return { taskId, runId: claimId, repository: repository ?? '' };
}

/** A commit, or whatever else must be known by now. */
export function known<Value>(value: Value | null): Value {
  if (value === null) throw new Error('not known yet');
  return value;
}

/** An id of the run's own for an aggregate that belongs to it. */
export const idInRun = (facts: Facts, ...parts: readonly string[]): string =>
  derivedId(claimOf(facts).claimId, ...parts);

export const changesCode = (facts: Facts): boolean => claimOf(facts).repository !== null;
export const isCommandRun = (facts: Facts): boolean => claimOf(facts).runtime === 'command' && changesCode(facts);

/** Seconds for work by an agent: its own limit, and room for Git around it. */
export const agentSeconds = ({ timeouts }: ResultOf<'code.prepare'>): number => timeouts.agent + 120;
/** Seconds for the repository's own commands. */
export const checkSeconds = ({ timeouts }: ResultOf<'code.prepare'>): number => timeouts.check + 120;

/** The branch of the repository's origin that carries the work. */
export const branchOf = (facts: Facts): string => `workledger/${claimOf(facts).taskId}`;

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
  const detail: Learned = { learned: { ...learned, feedback, sentBack: facts.sentBack + 1, chosen: null } };
  return goTo(isCommandRun(facts) ? 'generate' : 'await-work', detail);
}
