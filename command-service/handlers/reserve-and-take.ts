import type { Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { inConversationOf } from './in-conversation-of.ts';
import type { Room } from './room.ts';
import { joinTokens, step, stepId, type StepContext } from './step.ts';

export type Claiming = {
  readonly agentId: string;
  readonly taskId: string;
  /** The command's how-manyeth reservation, from 0: each has its own claim id. */
  readonly attempt: number;
  /** Under which the task is taken. */
  readonly takeContext: StepContext;
};

/** Where the agent and the task stood after a claim, and what the claimant is told. */
export type Claimed = {
  readonly reservedAt: number;
  readonly takenAt: number;
  readonly token: string;
  readonly details: { readonly claimId: string; readonly taskId: string; readonly leaseSeconds: number };
};

export const claimIdOf = (context: StepContext, attempt: number): string =>
  derivedId('claim', context.commandId, String(attempt));

export const reserveId = (context: StepContext, attempt: number): string => stepId(context, 'reserve', String(attempt));

/** A reservation of this command that was given back or freed: it cannot carry a claim any more. */
export const isOver = (agent: Loaded<AgentState>, context: StepContext, attempt: number): boolean =>
  agent.commands.has(reserveId(context, attempt)) && !agent.state.reservations.has(claimIdOf(context, attempt));

/** Reserves the agent; a reservation that this command made before, perhaps for another task, stands. @throws CommandRefused */
export const reserve = (
  room: Room,
  { agentId, taskId, attempt }: Pick<Claiming, 'agentId' | 'taskId' | 'attempt'>,
  context: StepContext,
): Promise<CommandAnswer> =>
  room.agents.handle(
    agentId,
    { type: 'agent.reserve', data: { claimId: claimIdOf(context, attempt), taskId } },
    step(context, 'reserve', String(attempt)),
  );

/** Reserves the agent, then takes the task; when the task is gone, the reservation is given back. @throws CommandRefused */
export async function reserveAndTake(room: Room, claiming: Claiming, context: StepContext): Promise<Claimed> {
  const { agentId, taskId, attempt, takeContext } = claiming;
  const claimId = claimIdOf(context, attempt);
  const { leaseSeconds } = room.configuration;
  const reserved = await reserve(room, claiming, context);
  try {
    const { registration } = (await room.agents.load(agentId)).state;
    const runtime = registration?.runtime ?? refuse('not-found', 'there is no such agent');
    const taken = await room.tasks.handle(
      taskId,
      { type: 'task.take', data: { claimId, agentId, runtime, leaseSeconds } },
      await inConversationOf(room.log, taskId, takeContext),
    );
    return {
      reservedAt: reserved.revision,
      takenAt: taken.revision,
      token: joinTokens(taken, reserved),
      details: { claimId, taskId, leaseSeconds },
    };
  } catch (error) {
    if (error instanceof CommandRefused)
      await room.agents.handle(
        agentId,
        { type: 'agent.release', data: { claimId, reason: `the task could not be taken: ${error.code}` } },
        step(context, 'release', String(attempt)),
      );
    throw error;
  }
}
