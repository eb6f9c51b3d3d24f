import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { refuseCycle } from '../domain/dependencies.ts';
import { createLook, refuseCycles, type Look, type Waiting } from './cycles.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

export type NewTask = Waiting & { readonly repository: string | null };

/**
 * Whether all that new tasks name exists: their repositories, their parent, the tasks that they wait for; and whether none of these
 * waits for what it would be waited for by.
 * @param parentId of all of them
 * @returns tasks that are known to be complete now, for the decision about the edges @throws CommandRefused
 */
export async function checkReferences(
  room: Room,
  tasks: readonly NewTask[],
  parentId: string | null,
): Promise<readonly string[]> {
  for (const { repository } of tasks) checkRepository(room, repository);
  const look = createLook(room);
  if (parentId !== null) existing((await look([parentId]))(parentId), parentId, 'parentId');
  return checkDependencies(room, look, tasks, parentId);
}

export const isKnownRepository = (room: Room, repository: string | null): boolean =>
  repository === null || room.configuration.repositories.some(({ name }) => name === repository);

/** @throws CommandRefused `unknown-repository` */
export function checkRepository(room: Room, repository: string | null): void {
  if (!isKnownRepository(room, repository))
    refuse('unknown-repository', `repository "${repository}" is not registered: add it to the configuration`, {
      repository,
    });
}

/** A task waits for one of its own repository (whose edges are in one stream), never for itself or one it is a part of. */
async function checkDependencies(
  room: Room,
  look: Look,
  tasks: readonly NewTask[],
  parentId: string | null,
): Promise<readonly string[]> {
  for (const { taskId, dependsOn } of tasks) if (dependsOn.includes(taskId)) refuseCycle([taskId, taskId]);
  const stateOf = await look(tasks.flatMap(({ dependsOn }) => dependsOn));
  for (const { repository, dependsOn } of tasks)
    for (const id of dependsOn) {
      const other = existing(stateOf(id), id, 'dependencies');
      if (other.repository !== repository)
        refuse('unknown-reference', `task ${id} belongs to another repository: a task can only wait for its own's`, {
          taskId: id,
          repository: other.repository,
        });
    }
  const waiting = tasks.filter(({ dependsOn }) => dependsOn.length > 0);
  return waiting.length === 0 ? [] : refuseCycles(room, look, waiting, await wholesOf(look, parentId));
}

/** What a task is a part of, the nearest first, up to one that is complete. */
async function wholesOf(look: Look, parentId: string | null): Promise<readonly string[]> {
  const wholes: string[] = [];
  for (let id = parentId; id !== null;) {
    const whole = (await look([id]))(id);
    if (whole.status === 'complete') break;
    wholes.push(id);
    id = whole.parentId;
  }
  return wholes;
}

function existing(state: TaskState, taskId: string, field: string): TaskState {
  if (state.status === 'missing')
    refuse('unknown-reference', `${field}: there is no task ${taskId}`, { field, taskId });
  return state;
}

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

  let finished: readonly string[] = [];
  if (recall(edges.commands, context.commandId, context.commandHash) === undefined) {
    checkRevision(task, context);
    if (type === 'task.add-dependency') {
      if (state.status === 'complete')
        refuse('illegal-transition', 'a task that is complete waits for nothing', { status: state.status });
      const wanted = { taskId, dependsOn: [dependsOn], repository: state.repository };
      finished = await checkDependencies(room, createLook(room), [wanted], state.parentId);
    }
  }

  const data = { taskId, dependsOn: [dependsOn] };
  const answer =
    type === 'task.add-dependency'
      ? await room.dependencies.handle(edgesId, { type: 'dependencies.add', data: { ...data, finished } }, edgesContext)
      : await room.dependencies.handle(edgesId, { type: 'dependencies.remove', data }, edgesContext);
  return { id: taskId, stream, revision, token: answer.token, details: {} };
}
