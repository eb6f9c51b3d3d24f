import { checkRevision, type Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { agentStatus, type AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { checkClaimable, type Claimed, isOver, repeatedClaim, reservationOf, reserve, take } from './claims.ts';
import type { Room } from './room.ts';
import { step, unchanged, type StepContext } from './step.ts';

const HINTS = 50;

/**
 * Claims the most urgent task that this agent can have; `details` is {} when there is none. A repeat goes on where the first
 * left off: at the claim that it made, or at the reservation that it was killed upon.
 * @throws CommandRefused
 */
export async function claimNext(room: Room, agentId: string, context: StepContext): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  const { registration } = agent.state;
  if (registration === null) return refuse('not-found', 'there is no such agent');
  const answer = ({ reservedAt, token, details }: Claimed): CommandAnswer => ({
    id: agentId,
    stream: agent.stream,
    revision: reservedAt,
    token,
    details,
  });

  const before = await earlierAttempts(room, agent, context);
  if (before.claimed !== null) return answer(before.claimed);
  let attempt = before.attempts;
  if (attempt === 0) checkRevision(agent, context);

  const status = agentStatus(agent.state);
  if (status !== 'idle' && status !== 'active')
    refuse('no-capacity', `an agent that is ${status} cannot take another task`, { status });
  const hints = await room.nextTasks({
    capabilities: registration.capabilities,
    withRepository: registration.runtime === 'command',
    limit: HINTS,
  });
  for (const { taskId } of hints) {
    if (!(await isClaimable(room, taskId, agent.state))) continue;
    const claimed = await tryClaim(room, agentId, taskId, attempt++, context);
    if (claimed !== null) return answer(claimed);
  }
  // Perhaps the same command, sent at the same time, took what there was.
  const after = await room.agents.load(agentId);
  const { claimed } = await earlierAttempts(room, after, context);
  return claimed === null ? unchanged(agentId, after) : answer(claimed);
}

/** How many attempts this very command has made until now, and the claim of the last, if there is one. */
async function earlierAttempts(
  room: Room,
  agent: Loaded<AgentState>,
  context: StepContext,
): Promise<{ readonly attempts: number; readonly claimed: Claimed | null }> {
  for (let attempts = 0; ; attempts++) {
    const claimed = await earlierAttempt(room, agent, context, attempts);
    if (claimed === undefined) return { attempts, claimed: null };
    if (claimed !== null) return { attempts, claimed };
  }
}

/** What an earlier run of this very command came to: a claim, nothing (null), or it never got so far (undefined). */
async function earlierAttempt(
  room: Room,
  agent: Loaded<AgentState>,
  context: StepContext,
  attempt: number,
): Promise<Claimed | null | undefined> {
  const reserved = await reservationOf(room, agent, context, attempt);
  if (reserved === undefined) return undefined;
  const { taskId } = reserved;
  const { stream, commands } = await room.tasks.load(taskId);
  const taken = commands.get(takeContext(context, attempt).commandId);
  if (taken !== undefined) return repeatedClaim(room, { taskId, stream, revision: taken.revision }, agent, context);
  const agentId = agent.stream.slice('agent-'.length);
  return isOver(agent, reserved) ? null : tryClaim(room, agentId, taskId, attempt, context);
}

const takeContext = (context: StepContext, attempt: number): StepContext => step(context, 'take', String(attempt));

async function isClaimable(room: Room, taskId: string, agent: AgentState): Promise<boolean> {
  try {
    await checkClaimable(room, taskId, await room.tasks.load(taskId), agent);
    return true;
  } catch (error) {
    if (error instanceof CommandRefused) return false;
    throw error;
  }
}

/** Null when another agent was first. @throws CommandRefused when this agent can take no more */
async function tryClaim(
  room: Room,
  agentId: string,
  taskId: string,
  attempt: number,
  context: StepContext,
): Promise<Claimed | null> {
  try {
    const claiming = { agentId, taskId, attempt, takeContext: takeContext(context, attempt) };
    const reserved = await reserve(room, claiming, context);
    const { agent, reservation } = reserved;
    // The same command, sent at the same time, was first to reserve: perhaps for another task, perhaps it is over already.
    if (agent.state.reservations.get(reservation.claimId) !== taskId)
      return (await earlierAttempt(room, agent, context, attempt)) ?? null;
    return await take(room, claiming, reserved, context);
  } catch (error) {
    if (!(error instanceof CommandRefused) || error.code === 'no-capacity') throw error;
    return null;
  }
}
