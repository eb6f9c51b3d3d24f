import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { checkReferences, isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';

/**
 * Creates a task: first its edges, then itself, so that nobody can claim it before what it waits for is known.
 * @throws CommandRefused
 */
export async function createTask(
  room: Room,
  taskId: string,
  data: CommandData<'task.create'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const command = { type: 'task.create', data } as const;
  const isPlain = data.dependencies.length === 0 && data.parentId === null;
  if (isPlain && isKnownRepository(room, data.repository)) return room.tasks.handle(taskId, command, context);

  const before = await room.tasks.load(taskId);
  const isRepeat = recall(before.commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && before.revision >= 0) return room.tasks.handle(taskId, command, context);
  if (!isRepeat) {
    checkRevision(before, context);
    await checkReferences(room, taskId, data);
  }
  if (data.dependencies.length === 0) return room.tasks.handle(taskId, command, context);

  const edgesId = dependenciesId(data.repository);
  const edges = { taskId, dependsOn: data.dependencies };
  const added = await room.dependencies.handle(
    edgesId,
    { type: 'dependencies.add', data: edges },
    step(context, 'add-edges'),
  );
  try {
    const created = await room.tasks.handle(taskId, command, context);
    return { ...created, token: joinTokens(created, added) };
  } catch (error) {
    if (error instanceof CommandRefused && error.code !== 'idempotency-key-reused')
      await room.dependencies.handle(
        edgesId,
        { type: 'dependencies.remove', data: edges },
        step(context, 'remove-edges'),
      );
    throw error;
  }
}
