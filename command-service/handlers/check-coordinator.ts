import { recall } from '@workledger/shared/aggregate/handle.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/** Whether the coordinator that an agent is to have is one; a repeat is not asked again. @throws CommandRefused */
export async function checkCoordinator(
  room: Room,
  agentId: string,
  { coordinatorId }: { readonly coordinatorId?: string | null | undefined },
  context: StepContext,
): Promise<void> {
  if (coordinatorId === undefined || coordinatorId === null) return;
  const { registration, deregistered } = (await room.agents.load(coordinatorId)).state;
  if (registration?.kind === 'coordinator' && !deregistered) return;
  if (recall((await room.agents.load(agentId)).commands, context.commandId, context.commandHash) !== undefined) return;
  refuse('unknown-reference', `coordinatorId: there is no coordinator ${coordinatorId}`, {
    field: 'coordinatorId',
    agentId: coordinatorId,
  });
}
