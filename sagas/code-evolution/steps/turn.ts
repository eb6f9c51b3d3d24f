import type { CommandInput } from '@workledger/shared/commands/catalogue.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { foreignText } from '@workledger/shared/contexts/text.ts';
import type { Effector } from '../../pipeline/definition.ts';
import type { Facts } from '../facts.ts';
import { claimOf, inRun, planOf } from './run.ts';

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

/** Gives turn or place away; true as soon as that is told. */
export function leave(facts: Facts, on: Effector, name: string, leaving: Leaving): boolean {
  const { taskId, claimId } = claimOf(facts);
  const reason = leaving.reason && foreignText(leaving.reason, 1_000);
  const data = { taskId, runId: claimId, ...leaving, reason };
  return on.tryCommand(name, 'merge-queue.leave', queueOf(facts), data) !== null;
}
