import { checkRevision } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { holds } from '../domain/task.ts';
import { beatAgent } from './beat-agent.ts';
import type { Room } from './room.ts';
import { step, unchanged, type StepContext } from './step.ts';

/**
 * Renews a lease: a sign of life of the claim and of its agent, which a deregistered agent cannot give.
 * @throws CommandRefused
 */
export async function renewLease(
  room: Room,
  taskId: string,
  claimId: string,
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const { agentId, leaseSeconds } = holds(task.state, claimId, context);
  checkRevision(task, context);
  await beatAgent(room, agentId, step(context, 'reconnect'), `claim:${claimId}`);
  return unchanged(taskId, task, { claimId, taskId, leaseSeconds });
}
