import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { checkClaimable, type Claimed, isOver, repeatedClaim, reserveAndTake } from './claims.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/** Claims one task for an agent. @throws CommandRefused */
export async function claimTask(
  room: Room,
  taskId: string,
  { agentId }: CommandData<'task.claim'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const agent = await room.agents.load(agentId);
  const { stream } = task;
  const answer = ({ takenAt, token, details }: Claimed) => ({ id: taskId, stream, revision: takenAt, token, details });

  const remembered = recall(task.commands, context.commandId, context.commandHash);
  if (remembered !== undefined)
    return answer(await repeatedClaim(room, { taskId, stream, revision: remembered.revision }, agent, context));

  checkRevision(task, context);
  if (agent.state.registration === null) refuse('unknown-reference', `agentId: there is no agent ${agentId}`);
  await checkClaimable(room, taskId, task, agent.state);

  let attempt = 0;
  while (isOver(agent, context, attempt)) attempt++;
  return answer(await reserveAndTake(room, { agentId, taskId, attempt, takeContext: context }, context));
}
