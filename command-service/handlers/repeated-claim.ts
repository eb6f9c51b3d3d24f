import type { Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { eventAt } from './event-at.ts';
import { claimIdOf, reserveId, type Claimed } from './reserve-and-take.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/** What a claim answered the first time, from the events that it left. */
export async function repeatedClaim(
  room: Room,
  taken: { readonly taskId: string; readonly stream: string; readonly revision: number },
  agent: Loaded<AgentState>,
  context: StepContext,
): Promise<Claimed> {
  const { claimId, leaseSeconds } = await eventAt<TaskEvent, 'TaskClaimed'>(
    room.log,
    taken.stream,
    taken.revision,
    'TaskClaimed',
  );
  let attempt = 0;
  while (claimIdOf(context, attempt) !== claimId && agent.commands.has(reserveId(context, attempt))) attempt++;
  const reservedAt = agent.commands.get(reserveId(context, attempt))?.revision ?? agent.revision;
  return {
    reservedAt,
    takenAt: taken.revision,
    token: `${taken.stream}@${taken.revision},${agent.stream}@${reservedAt}`,
    details: { claimId, taskId: taken.taskId, leaseSeconds },
  };
}
