import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { createTask } from './create-task.ts';
import { checkReferences } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';

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
