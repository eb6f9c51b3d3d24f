import { recall, type Loaded } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import type { TaskEvent, TaskResult } from '@workledger/shared/contexts/task/task/events.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { TaskDecisions } from '../domain/task.ts';
import type { Room } from './room.ts';
import { completeTask } from './submit-and-complete.ts';
import { joinTokens, step, unchanged, type StepContext } from './step.ts';

/**
 * Completes a task whose subtasks are all complete, or cancelled, but not all of them cancelled; its result is the sum of
 * theirs.
 * @throws CommandRefused
 */
export async function completeParent(room: Room, taskId: string, context: StepContext): Promise<CommandAnswer> {
  const parent = await room.tasks.load(taskId);
  const remembered = recall(parent.commands, context.commandId, context.commandHash);
  if (remembered !== undefined) return unchanged(taskId, { stream: parent.stream, revision: remembered.revision });

  const results: TaskResult[] = [];
  const cancelled: string[] = [];
  const waitingFor: string[] = [];
  for (const id of parent.state.subtasks) {
    const { status, result } = (await room.tasks.load(id)).state;
    if (status === 'complete' && result !== null) results.push(result);
    else if (status === 'cancelled') cancelled.push(id);
    else waitingFor.push(id);
  }
  if (results.length === 0) waitingFor.push(...cancelled);
  if (waitingFor.length > 0)
    refuse('blocked', `${waitingFor.length} of ${parent.state.subtasks.length} subtasks are not complete`, {
      waitingFor,
    });
  return completeTask(room, taskId, { type: 'task.complete-parent', data: { result: sumOf(results) } }, context);
}

const sumOf = (results: readonly TaskResult[]): TaskResult => ({
  commit: null,
  branch: null,
  merged: results.length > 0 && results.every(({ merged }) => merged),
  diffStat: results
    .map(({ diffStat }) => diffStat)
    .filter((stat) => stat !== null)
    .reduce<TaskResult['diffStat']>(
      (sum, stat) => ({
        files: (sum?.files ?? 0) + stat.files,
        insertions: (sum?.insertions ?? 0) + stat.insertions,
        deletions: (sum?.deletions ?? 0) + stat.deletions,
      }),
      null,
    ),
  metricsBefore: null,
  metricsAfter: null,
  costUsd: results.reduce<number | null>((sum, { costUsd }) => (costUsd === null ? sum : (sum ?? 0) + costUsd), null),
  durationMs: results.reduce((sum, { durationMs }) => sum + durationMs, 0),
});

/**
 * Cancels a task, then its subtasks that are not complete. A subtask that was the last its parent waited for completes the
 * parent, if others did the work. A repeat goes on where the first left off, and so does a saga.
 * @throws CommandRefused
 */
export async function cancelTask(
  room: Room,
  taskId: string,
  data: CommandData<'task.cancel'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const cancelled = await cancelWithSubtasks(room, taskId, data, context);
  const { parentId } = (await room.tasks.load(taskId)).state;
  if (parentId !== null) await completeWhole(room, parentId, context);
  return cancelled;
}

const completeWhole = (room: Room, parentId: string, context: StepContext) =>
  unlessRefused(completeParent(room, parentId, step(context, 'complete-parent')));

/**
 * Does what is left to do of the newest cancellation of a task, by the same steps under the same ids: what was done once is not
 * done again, though somebody retried it since. A task that is not cancelled any more is left alone.
 * @throws CommandRefused
 */
export async function finishCancellation(room: Room, taskId: string, context: StepContext): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  if (task.state.status !== 'cancelled') return unchanged(taskId, task);
  const { data, metadata } = await lastCancellation(room.log, task);
  const { commandId, commandHash } = metadata;
  const first: StepContext = { ...context, commandId, commandHash, firstTime: false };
  const tokens = await cancelSubtasks(room, taskId, data.reason, first);
  if (data.parentId !== undefined) await completeWhole(room, data.parentId, first);
  return { ...unchanged(taskId, task), token: joinTokens(...tokens) };
}

async function lastCancellation(log: EventLog, { stream, revision }: Pick<Loaded<TaskState>, 'stream' | 'revision'>) {
  for await (const event of log.readStream(stream, { from: revision, direction: 'backward' }))
    if (event.type === 'TaskCancelled') {
      const { data } = upcast(event) as unknown as Extract<TaskEvent, { type: 'TaskCancelled' }>;
      return { data, metadata: event.metadata };
    }
  throw new LogBehind(stream, revision, -1);
}

/** Cancels a task, then what it is expanded into, at any depth. @throws CommandRefused */
export async function cancelWithSubtasks(
  room: Room,
  taskId: string,
  data: TaskDecisions['task.cancel'],
  context: StepContext,
): Promise<CommandAnswer> {
  const cancelled = await room.tasks.handle(taskId, { type: 'task.cancel', data }, context);
  const tokens = await cancelSubtasks(room, taskId, data.reason, context);
  return { ...cancelled, token: joinTokens(cancelled, ...tokens) };
}

async function cancelSubtasks(room: Room, taskId: string, why: string, context: StepContext) {
  const tokens: Pick<CommandAnswer, 'token'>[] = [];
  for (const id of (await room.tasks.load(taskId)).state.subtasks) {
    const reason = `its parent was cancelled: ${why}`.slice(0, MAX_REASON);
    const subtask = cancelWithSubtasks(room, id, { reason, withWhole: true }, step(context, 'cancel-subtask', id));
    tokens.push((await unlessRefused(subtask)) ?? { token: '' });
  }
  return tokens;
}

const MAX_REASON = 1_000;

/** What is complete stays so, and a parent may have to wait for others, or be cancelled itself. */
export async function unlessRefused(answer: Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CommandRefused && (error.code === 'illegal-transition' || error.code === 'blocked'))
      return undefined;
    throw error;
  }
}
