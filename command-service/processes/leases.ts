import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import { holds } from '../domain/task.ts';
import { beatAgent } from './agents.ts';
import type { Room } from './room.ts';
import { step, unchanged, type StepContext } from './step.ts';

/**
 * Takes a task from an agent whose lease has run out. While it has not, and while the work is being validated (the agent has
 * nothing to report then), nothing happens, and `details.dueAt` (ISO 8601) says when to ask again.
 * @throws CommandRefused
 */
export async function expireClaim(
  room: Room,
  taskId: string,
  claimId: string,
  context: StepContext,
): Promise<CommandAnswer> {
  const command = { type: 'task.expire-claim', data: { claimId } } as const;
  const task = await room.tasks.load(taskId);
  if (recall(task.commands, context.commandId, context.commandHash) !== undefined)
    return room.tasks.handle(taskId, command, context);

  const { leaseSeconds } = holds(task.state, claimId, context);
  if (task.state.status === 'validation') {
    const dueAt = new Date(Date.now() + leaseSeconds * 1_000);
    return unchanged(taskId, task, { dueAt: dueAt.toISOString() });
  }
  const workingSince = await startOfWork(room, task.stream);
  const { expired, dueAt } = await room.heartbeats.lease(`claim:${claimId}`, workingSince, leaseSeconds);
  return expired
    ? room.tasks.handle(taskId, command, context)
    : unchanged(taskId, task, { dueAt: dueAt.toISOString() });
}

/** When the agent got the task, or got it back: it is known to hold it. @throws LogBehind */
async function startOfWork(room: Room, stream: string): Promise<Date> {
  for await (const { type, recordedAt } of room.log.readStream(stream, { direction: 'backward' }))
    if (type === 'TaskClaimed' || type === 'TaskSentBack') return recordedAt;
  throw new LogBehind(stream, 0, 'none');
}

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
