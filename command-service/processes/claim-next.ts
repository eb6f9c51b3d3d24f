import { checkRevision, type Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { free } from '../domain/agent.ts';
import { checkClaimable, type Claimed, isOver, repeatedClaim, reservationOf, reserve, take } from './claims.ts';
import type { Hint, Room } from './room.ts';
import { isWithin } from './scope.ts';
import { step, unchanged, type StepContext } from './step.ts';

const HINTS = 25;
/** How often one command asks for more hints when others took all that it was given. */
const LOOKS = 8;

/**
 * Claims the most urgent task that this agent can have; `details` is {} when there is none. A repeat goes on where the first
 * left off: at the claim that it made, or at the reservation that it was killed upon. Agents that ask at once do not all go for
 * the same task: what one of this process has in hand the others leave alone.
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

  free(agent.state, room.now());
  const tried = new Set<string>();
  const repositories = await repositoriesFor(room, registration.runtime, context);
  if (repositories?.length === 0) return unchanged(agentId, agent);
  let isContended = false;
  // Read models are a little behind what was claimed a moment ago; but it may be free again: it is looked at last.
  let passedBy = room.handing.claimedJustNow();
  for (let look = 0; look < LOOKS; look++) {
    const hints = await room.nextTasks({
      capabilities: registration.capabilities,
      withRepository: registration.runtime === 'command',
      without: [...tried, ...passedBy, ...room.handing.others(context.commandId)],
      ...(repositories !== undefined && { repositories }),
      limit: HINTS,
    });
    const candidates = [...hints];
    isContended ||= room.handing.others(context.commandId).length > 0;
    while (candidates.length > 0) {
      const { taskId } = takeOne(candidates, isContended);
      tried.add(taskId);
      if (!room.handing.take(taskId, context.commandId)) continue;
      let claimed: Claimed | null = null;
      try {
        if (!(await isClaimable(room, taskId, agent.state, context))) continue;
        claimed = await tryClaim(room, agentId, taskId, attempt++, context);
      } finally {
        room.handing.give(taskId, context.commandId, claimed !== null);
      }
      if (claimed !== null) return answer(claimed);
      isContended = true;
    }
    if (hints.length === HINTS) continue;
    if (passedBy.length === 0) break;
    passedBy = [];
  }
  // Perhaps the same command, sent at the same time, took what there was.
  const after = await room.agents.load(agentId);
  const { claimed } = await earlierAttempts(room, after, context);
  return claimed === null ? unchanged(agentId, after) : answer(claimed);
}

/** Whose tasks may be claimed; undefined: anyone's. An agent that Workledger starts costs money: not where a budget of the day is spent. */
async function repositoriesFor(
  { spending }: Room,
  runtime: 'command' | 'remote',
  { repositories }: StepContext,
): Promise<readonly string[] | undefined> {
  const open = runtime === 'command' ? await spending.open() : null;
  if (open === null) return repositories;
  return open.filter((name) => repositories?.includes(name) ?? true);
}

/**
 * Takes the most urgent one out; where several ask at once, in this process or another, any of those that are as urgent: who goes
 * down the same list in the same order meets the others at every task.
 */
function takeOne(candidates: Hint[], isContended: boolean): Hint {
  const equal = candidates.findIndex(({ urgency }) => urgency !== candidates[0]?.urgency);
  const choices = equal < 0 ? candidates.length : equal;
  return candidates.splice(isContended ? Math.floor(Math.random() * choices) : 0, 1)[0] as Hint;
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
  const { stream, commands, state } = await room.tasks.load(taskId);
  // It was made under another key of the same agent.
  if (context.repositories !== undefined && !isWithin(context.repositories, state)) return null;
  const taken = commands.get(takeContext(context, attempt).commandId);
  if (taken !== undefined) return repeatedClaim(room, { taskId, stream, revision: taken.revision }, agent, context);
  const agentId = agent.stream.slice('agent-'.length);
  return isOver(agent, reserved) ? null : tryClaim(room, agentId, taskId, attempt, context);
}

const takeContext = (context: StepContext, attempt: number): StepContext => step(context, 'take', String(attempt));

async function isClaimable(
  room: Room,
  taskId: string,
  agent: AgentState,
  { repositories }: StepContext,
): Promise<boolean> {
  try {
    const task = await room.tasks.load(taskId);
    if (repositories !== undefined && !isWithin(repositories, task.state)) return false;
    await checkClaimable(room, taskId, task, agent);
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
