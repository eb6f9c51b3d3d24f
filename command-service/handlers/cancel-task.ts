import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { completeParent } from './complete-parent.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';

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
