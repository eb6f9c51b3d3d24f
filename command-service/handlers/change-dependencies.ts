import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { checkDependency } from './references.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Change = 'task.add-dependency' | 'task.remove-dependency';

/**
 * Adds or removes an edge. Answer and If-Match are about the task's own revision, which an edge does not change; the token
 * names the stream that did, that of the repository's edges.
 * @throws CommandRefused
 */
export async function changeDependencies(
  room: Room,
  type: Change,
  taskId: string,
  { dependsOn }: CommandData<Change>,
  context: StepContext,
): Promise<CommandAnswer> {
  const task = await room.tasks.load(taskId);
  const { state, stream, revision } = task;
  if (state.status === 'missing') refuse('not-found', 'there is no such task');
  const edgesId = dependenciesId(state.repository);
  const edges = await room.dependencies.load(edgesId);
  const { expectedRevision: _ofTheTask, ...edgesContext } = context;

  if (recall(edges.commands, context.commandId, context.commandHash) === undefined) {
    checkRevision(task, context);
    if (type === 'task.add-dependency') {
      if (state.status === 'complete')
        refuse('illegal-transition', 'a task that is complete waits for nothing', { status: state.status });
      await checkDependency(room, taskId, state, dependsOn);
    }
  }

  const decision = type === 'task.add-dependency' ? 'dependencies.add' : 'dependencies.remove';
  const answer = await room.dependencies.handle(
    edgesId,
    { type: decision, data: { taskId, dependsOn: [dependsOn] } },
    edgesContext,
  );
  return { id: taskId, stream, revision, token: answer.token, details: {} };
}
