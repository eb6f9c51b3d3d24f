import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import type { TaskResult } from '@workledger/shared/contexts/task/task/events.ts';
import { createTask } from './create-task.ts';
import { checkReferences } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, step, unchanged, type StepContext } from './step.ts';

/**
 * Cuts a task into subtasks: they are created first, then the parent says so. When it may not, they are cancelled again.
 * A subtask without a repository has its parent's.
 * @throws CommandRefused
 */
export async function expandTask(
  room: Room,
  taskId: string,
  data: CommandData<'task.expand'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const parent = await room.tasks.load(taskId);
  const { state, commands } = parent;
  const isRepeat = recall(commands, context.commandId, context.commandHash) !== undefined;
  const subtasks = data.subtasks.map((subtask, index) => ({
    id: derivedId('task', context.commandId, 'subtask', String(index)),
    context: step(context, 'subtask', String(index)),
    data: {
      ...subtask,
      repository: subtask.repository ?? state.repository,
      parentId: taskId,
      source: { kind: 'api' as const, reference: null, url: null },
      requester: null,
    },
  }));
  if (!isRepeat) {
    if (state.status === 'missing') refuse('not-found', 'there is no such task');
    checkRevision(parent, context);
    if (state.status !== 'pending' || state.subtasks.length > 0)
      refuse('illegal-transition', 'only a pending task without subtasks can be expanded', { status: state.status });
    for (const subtask of subtasks) await checkReferences(room, subtask.id, subtask.data);
  }

  const ids = subtasks.map(({ id }) => id);
  const created: CommandAnswer[] = [];
  try {
    for (const subtask of subtasks) created.push(await createTask(room, subtask.id, subtask.data, subtask.context));
    const expanded = await room.tasks.handle(taskId, { type: 'task.expand', data: { subtasks: ids } }, context);
    return { ...expanded, token: joinTokens(expanded, ...created), details: { subtasks: ids } };
  } catch (error) {
    if (error instanceof CommandRefused) await cancelAll(room, created, context);
    throw error;
  }
}

async function cancelAll(room: Room, created: readonly CommandAnswer[], context: StepContext): Promise<void> {
  const reason = 'the task was not expanded after all';
  for (const { id } of created)
    await room.tasks.handle(id, { type: 'task.cancel', data: { reason } }, step(context, 'cancel', id));
}

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
  return room.tasks.handle(taskId, { type: 'task.complete-parent', data: { result: sumOf(results) } }, context);
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
 * parent, if others did the work. A repeat goes on where the first left off.
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
  if (parentId !== null) await unlessRefused(completeParent(room, parentId, step(context, 'complete-parent')));
  return cancelled;
}

async function cancelWithSubtasks(
  room: Room,
  taskId: string,
  data: CommandData<'task.cancel'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const cancelled = await room.tasks.handle(taskId, { type: 'task.cancel', data }, context);
  const tokens: Pick<CommandAnswer, 'token'>[] = [];
  for (const id of (await room.tasks.load(taskId)).state.subtasks) {
    const reason = `its parent was cancelled: ${data.reason}`.slice(0, MAX_REASON);
    const subtask = cancelWithSubtasks(room, id, { reason }, step(context, 'cancel-subtask', id));
    tokens.push((await unlessRefused(subtask)) ?? { token: '' });
  }
  return { ...cancelled, token: joinTokens(cancelled, ...tokens) };
}

const MAX_REASON = 1_000;

/** What is complete stays so, and a parent may have to wait for others, or be cancelled itself. */
async function unlessRefused(answer: Promise<CommandAnswer>): Promise<CommandAnswer | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof CommandRefused && (error.code === 'illegal-transition' || error.code === 'blocked'))
      return undefined;
    throw error;
  }
}
