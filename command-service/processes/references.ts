import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { waitsFor, type Edges } from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { refuseCycle } from '../domain/dependencies.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

const MAX_ANCESTORS = 100;

type NewTask = {
  readonly repository: string | null;
  readonly dependencies: readonly string[];
  readonly parentId: string | null;
};

/** Whether all that a new task names exists: its repository, its parent, the tasks that it waits for. @throws CommandRefused */
export async function checkReferences(room: Room, taskId: string, data: NewTask): Promise<void> {
  checkRepository(room, data.repository);
  if (data.parentId !== null) await existing(room, data.parentId, 'parentId');
  for (const dependsOn of data.dependencies) await checkDependency(room, taskId, data, dependsOn);
}

export const isKnownRepository = (room: Room, repository: string | null): boolean =>
  repository === null || room.configuration.repositories.some(({ name }) => name === repository);

function checkRepository(room: Room, repository: string | null): void {
  if (!isKnownRepository(room, repository))
    refuse('unknown-repository', `repository "${repository}" is not registered: add it to the configuration`, {
      repository,
    });
}

/** A task waits for one of its own repository (whose edges are in one stream), never for itself or one it is a part of. */
async function checkDependency(
  room: Room,
  taskId: string,
  task: Pick<TaskState, 'repository' | 'parentId'>,
  dependsOn: string,
): Promise<void> {
  if (dependsOn === taskId) refuseCycle([taskId, taskId]);
  const other = await existing(room, dependsOn, 'dependencies');
  if (other.repository !== task.repository)
    refuse('unknown-reference', `task ${dependsOn} belongs to another repository: a task can only wait for its own's`, {
      taskId: dependsOn,
      repository: other.repository,
    });
  const way = [taskId];
  for (let parentId = task.parentId; parentId !== null && way.length <= MAX_ANCESTORS;) {
    way.push(parentId);
    // A parent completes when its parts do: a part that waits for it would wait for itself.
    if (parentId === dependsOn) refuseCycle([...way, taskId]);
    parentId = (await room.tasks.load(parentId)).state.parentId;
  }
  await refuseWayBack(room, taskId, way, dependsOn);
}

/** What waits for a task, or for what it is a part of, waits for it: also where a parent waits for its subtasks. */
async function refuseWayBack(room: Room, taskId: string, wholes: readonly string[], dependsOn: string): Promise<void> {
  const back = await wayBetween(room, dependsOn, wholes);
  if (back === null) return;
  const parts = wholes.slice(0, wholes.indexOf(back.at(-1) ?? taskId)).toReversed();
  refuseCycle([taskId, ...back, ...parts]);
}

async function existing(room: Room, taskId: string, field: string): Promise<TaskState> {
  const { state } = await room.tasks.load(taskId);
  if (state.status === 'missing')
    refuse('unknown-reference', `${field}: there is no task ${taskId}`, { field, taskId });
  return state;
}

const MOST_TASKS = 1_000;

/**
 * The way from a task to the first of others, along what each waits for: its dependencies and its subtasks. Null when there is
 * none among the nearest thousand tasks.
 */
async function wayBetween(room: Room, from: string, targets: readonly string[]): Promise<readonly string[] | null> {
  const ways = new Map<string, readonly string[]>([[from, [from]]]);
  const edgesOf = new Map<string | null, Edges>();
  for (const [here, way] of ways) {
    if (targets.includes(here)) return way;
    if (ways.size > MOST_TASKS) return null;
    const { repository, subtasks } = (await room.tasks.load(here)).state;
    const edges = edgesOf.get(repository) ?? (await room.dependencies.load(dependenciesId(repository))).state;
    edgesOf.set(repository, edges);
    for (const next of [...waitsFor(edges, here), ...subtasks]) if (!ways.has(next)) ways.set(next, [...way, next]);
  }
  return null;
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
