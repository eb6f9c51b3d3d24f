import { checkRevision, recall, type Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import type { AgentEvent } from '@workledger/shared/contexts/agent/agent/events.ts';
import type { AgentState } from '@workledger/shared/contexts/agent/agent/state.ts';
import { notRegistered } from '@workledger/shared/config/schema.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { waitsFor } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { isKnownRepository } from './references.ts';
import { atRevision } from './configurations.ts';
import type { Room } from './room.ts';
import type { TaskBudget } from './spending.ts';
import { joinTokens, step, stepId, type StepContext, unchanged } from './step.ts';

/**
 * Whether the log, as it is now, lets this agent have this task: waiting to be done, within what the agent can do (a command
 * needs a repository to run in), and everything that it waits for complete (which is final). @throws CommandRefused
 */
export async function checkClaimable(
  room: Room,
  taskId: string,
  { state }: Loaded<TaskState>,
  agent: AgentState,
): Promise<void> {
  const { status } = state;
  if (status === 'missing') refuse('not-found', 'there is no such task');
  if (status !== 'pending' || state.subtasks.length > 0)
    refuse('illegal-transition', 'only a pending task without subtasks can be claimed', {
      status,
      expanded: state.subtasks.length > 0,
    });
  if (state.repository === null && agent.registration?.runtime === 'command')
    refuse('missing-capability', 'an agent that is run as a command works in a repository, and this task has none', {
      repository: null,
    });
  if (!isKnownRepository(room, state.repository))
    refuse('blocked', `this task waits: ${notRegistered(state.repository ?? '')}`, { repository: state.repository });
  const can = agent.registration?.capabilities ?? [];
  const missing = state.capabilities.filter((capability) => !can.includes(capability));
  if (missing.length > 0)
    refuse('missing-capability', `this task needs ${missing.join(', ')}, which the agent does not have`, { missing });
  const waitingFor = await incomplete(room, taskId, state.repository);
  if (waitingFor.length > 0) refuse('blocked', `this task waits for ${waitingFor.join(', ')}`, { waitingFor });
}

async function incomplete(room: Room, taskId: string, repository: string | null): Promise<readonly string[]> {
  const edges = (await room.dependencies.load(dependenciesId(repository))).state;
  const ids = waitsFor(edges, taskId);
  const tasks = await Promise.all(ids.map((id) => room.tasks.load(id)));
  return ids.filter((_, index) => tasks[index]?.state.status !== 'complete');
}

export type Claiming = {
  readonly agentId: string;
  readonly taskId: string;
  /** The command's how-manyeth reservation, from 0. */
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

const reserveId = (context: StepContext, attempt: number): string => stepId(context, 'reserve', String(attempt));

/** An agent's reservation, made at a revision of its stream. */
export type Reservation = { readonly claimId: string; readonly taskId: string; readonly revision: number };

/**
 * What an attempt of this command reserved, as the log has it: a claim's id is never made up again, for the same key may come
 * back as a new command. Undefined: it never got so far, or that is too long ago.
 */
export async function reservationOf(
  room: Room,
  agent: Loaded<AgentState>,
  context: StepContext,
  attempt: number,
): Promise<Reservation | undefined> {
  const reserved = recall(agent.commands, reserveId(context, attempt), context.commandHash);
  return reserved === undefined ? undefined : reservationAt(room, agent.stream, reserved.revision);
}

const reservationAt = async ({ log }: Room, stream: string, revision: number): Promise<Reservation> => ({
  ...(await eventAt<AgentEvent, 'AgentReserved'>(log, stream, revision, 'AgentReserved')),
  revision,
});

/** Whether a reservation was given back or freed: it cannot carry a claim any more. */
export const isOver = (agent: Loaded<AgentState>, { claimId }: Reservation): boolean =>
  !agent.state.reservations.has(claimId);

/** Reserves the agent; a reservation that this command made before, perhaps for another task, stands. @throws CommandRefused */
export async function reserve(
  room: Room,
  { agentId, taskId, attempt }: Claiming,
  context: StepContext,
): Promise<{ readonly reservation: Reservation; readonly agent: Loaded<AgentState> }> {
  const claimId = newId();
  const { stream, revision } = await room.agents.handle(
    agentId,
    { type: 'agent.reserve', data: { claimId, taskId, at: room.now() } },
    step(context, 'reserve', String(attempt)),
  );
  const agent = await room.agents.load(agentId);
  const isNew = agent.state.reservations.has(claimId);
  return { reservation: isNew ? { claimId, taskId, revision } : await reservationAt(room, stream, revision), agent };
}

/** Takes the task for an agent that is reserved; when the task is gone, the reservation is given back. @throws CommandRefused */
export async function take(
  room: Room,
  { agentId, taskId, attempt, takeContext }: Claiming,
  { reservation, agent }: { readonly reservation: Reservation; readonly agent: Loaded<AgentState> },
  context: StepContext,
): Promise<Claimed> {
  const { claimId } = reservation;
  const { leaseSeconds } = room.configuration;
  try {
    const { registration } = agent.state;
    const runtime = registration?.runtime ?? refuse('not-found', 'there is no such agent');
    const budget = await budgetOf(room, taskId, runtime);
    const taken = await room.tasks.handle(
      taskId,
      { type: 'task.take', data: { claimId, agentId, runtime, leaseSeconds, ...budget, ...atRevision(room) } },
      await inConversationOf(room.log, taskId, takeContext),
    );
    return {
      reservedAt: reservation.revision,
      takenAt: taken.revision,
      token: joinTokens(taken, { token: `${agent.stream}@${reservation.revision}` }),
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

/** What a claim says of its task's budget: nothing without one, or where Workledger does not run the agent. */
export async function budgetOf(
  { tasks, spending }: Room,
  taskId: string,
  runtime: 'command' | 'remote',
): Promise<{ readonly budget?: TaskBudget }> {
  if (runtime !== 'command') return {};
  const budget = await spending.ofTask(taskId, (await tasks.load(taskId)).state.repository);
  return budget === null ? {} : { budget };
}

/**
 * What follows from a claim belongs to the conversation that the task began with, whoever claims it: one correlation id leads
 * from the request to the result.
 */
export async function inConversationOf(log: EventLog, taskId: string, context: StepContext): Promise<StepContext> {
  for await (const { metadata } of log.readStream(streamName('task', taskId), { limit: 1 })) {
    const { correlationId, traceparent } = metadata;
    return { ...context, correlationId, traceparent: context.traceparent ?? traceparent };
  }
  return context;
}

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
  let reserved = await reservationOf(room, agent, context, attempt);
  while (reserved !== undefined && reserved.claimId !== claimId)
    reserved = await reservationOf(room, agent, context, ++attempt);
  const reservedAt = reserved?.revision ?? agent.revision;
  return {
    reservedAt,
    takenAt: taken.revision,
    token: `${taken.stream}@${taken.revision},${agent.stream}@${reservedAt}`,
    details: { claimId, taskId: taken.taskId, leaseSeconds },
  };
}

/** The data of the event at a revision that is known to hold this type. @throws LogBehind when it is not there; RangeError when it is another one */
async function eventAt<Event extends DomainEvent, Type extends Event['type']>(
  log: EventLog,
  stream: string,
  revision: number,
  type: Type,
): Promise<Extract<Event, { type: Type }>['data']> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 })) {
    if (event.type === type) return upcast(event).data;
    throw new RangeError(`${stream} has no ${type} at revision ${revision}`);
  }
  throw new LogBehind(stream, revision, revision - 1);
}

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
  if (agent.state.registration?.runtime === 'command') await room.spending.demand(task.state.repository);

  let attempt = 0;
  let before = await reservationOf(room, agent, context, attempt);
  while (before !== undefined && isOver(agent, before)) before = await reservationOf(room, agent, context, ++attempt);
  const claiming = { agentId, taskId, attempt, takeContext: context };
  return answer(await take(room, claiming, await reserve(room, claiming, context), context));
}

/**
 * Gives a reservation back that no claim followed: not while the log has the task under this claim.
 * @throws CommandRefused
 */
export async function releaseUnclaimed(
  room: Room,
  agentId: string,
  claimId: string,
  context: StepContext,
): Promise<CommandAnswer> {
  const agent = await room.agents.load(agentId);
  const taskId = agent.state.reservations.get(claimId);
  const isRepeat = recall(agent.commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && taskId !== undefined && (await room.tasks.load(taskId)).state.claim?.claimId === claimId)
    return unchanged(agentId, agent);
  return room.agents.handle(agentId, { type: 'agent.release', data: { claimId, reason: 'never claimed' } }, context);
}
