import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { registered } from '../domain/agent.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/**
 * A sign of life of an agent. First the beat, then the log: the monitor watches whom it has heard of, so nobody is connected
 * and unwatched.
 * @throws CommandRefused
 */
export async function beatAgent(
  room: Room,
  agentId: string,
  context: StepContext,
  ...others: readonly string[]
): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  if (recall(agent.commands, context.commandId, context.commandHash) === undefined) {
    registered(agent.state);
    checkRevision(agent, context);
  }
  await room.heartbeats.beat(`agent:${agentId}`, ...others);
  return room.agents.handle(agentId, { type: 'agent.reconnect', data: {} }, context);
}
