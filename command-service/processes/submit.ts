import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { holds } from '../domain/task.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

/**
 * Takes work in. A commit of whoever works elsewhere is looked for first, where this process can ask the origin: a refusal now is
 * better than work that comes back later.
 * @throws CommandRefused `unknown-reference`: the commit is not in the origin
 */
export async function submitWork(
  room: Room,
  taskId: string,
  data: CommandData<'task.submit'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { commit } = data;
  if (commit !== null && !context.actor.startsWith('saga:')) {
    const task = await room.tasks.load(taskId);
    const { state, commands } = task;
    const { status, repository } = state;
    const isFirst = recall(commands, context.commandId, context.commandHash) === undefined;
    if (isFirst && status === 'in-progress' && repository !== null) {
      holds(state, data.claimId, context);
      checkRevision(task, context);
      const absent = await room.whyNotInOrigin({ repository, taskId, commit });
      if (absent !== null) refuse('unknown-reference', absent, { field: 'commit', commit });
    }
  }
  return room.tasks.handle(taskId, { type: 'task.submit', data }, context);
}
