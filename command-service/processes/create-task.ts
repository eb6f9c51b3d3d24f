import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { taskCommands } from '@workledger/shared/contexts/task/task/commands.ts';
import type { TaskDecisions } from '../domain/task.ts';
import { withEstimate } from './change-task.ts';
import { checkReferences, isKnownRepository } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, parseData, step, type StepContext } from './step.ts';

type CreatedTask = TaskDecisions['task.create'];

/**
 * Creates a task: first its edges, then itself, so that nobody can claim it before what it waits for is known.
 * @throws CommandRefused
 */
export async function createTask(
  room: Room,
  taskId: string,
  asked: CreatedTask,
  context: StepContext,
): Promise<CommandAnswer> {
  const data = await withEstimate(room, asked);
  const command = creation(room, data);
  const isPlain = data.dependencies.length === 0 && data.parentId === null;
  if (isPlain && isKnownRepository(room, data.repository)) return room.tasks.handle(taskId, command, context);

  const before = await room.tasks.load(taskId);
  const isRepeat = recall(before.commands, context.commandId, context.commandHash) !== undefined;
  if (!isRepeat && before.revision >= 0) return room.tasks.handle(taskId, command, context);
  let finished: readonly string[] = [];
  if (!isRepeat) {
    checkRevision(before, context);
    const { repository, dependencies: dependsOn } = data;
    finished = await checkReferences(room, [{ taskId, repository, dependsOn }], data.parentId);
  }
  // A creation is remembered for ever, its edges are not: some may have been removed on purpose since.
  if (isRepeat) {
    const { commands } = await room.dependencies.load(dependenciesId(data.repository));
    if (!commands.has(addEdges(context).commandId)) return room.tasks.handle(taskId, command, context);
  }
  return createChecked(room, taskId, data, context, finished);
}

/** The command that creates a task, with where else than at its source it is told of: that is configured, and stays as it was when the task was made. */
export function creation(room: Room, data: CreatedTask) {
  const { tell = [], slack = null } =
    room.configuration.repositories.find(({ name }) => name === data.repository) ?? {};
  const alsoTold = tell
    .filter((kind) => kind !== data.source.kind && (kind !== 'slack' || slack !== null))
    .map((kind) => ({ kind, place: kind === 'slack' ? slack : data.source.url }));
  return { type: 'task.create', data: { ...data, ...(alsoTold.length > 0 && { alsoTold }) } } as const;
}

const addEdges = (context: StepContext): StepContext => step(context, 'add-edges');

/**
 * Creates a task whose references are known to be right: its edges, then itself.
 * @param finished tasks that are known to be complete @throws CommandRefused
 */
export async function createChecked(
  room: Room,
  taskId: string,
  data: CreatedTask,
  context: StepContext,
  finished: readonly string[],
): Promise<CommandAnswer> {
  const command = creation(room, data);
  if (data.dependencies.length === 0) return room.tasks.handle(taskId, command, context);

  const edgesId = dependenciesId(data.repository);
  const edges = { taskId, dependsOn: data.dependencies };
  const added = await room.dependencies.handle(
    edgesId,
    { type: 'dependencies.add', data: { ...edges, finished } },
    addEdges(context),
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

/**
 * Creates the task that a webhook delivery was routed to. Its words are read from the delivery's own stream, so that no other
 * stream needs a copy of them.
 * @throws CommandRefused
 */
export async function createTaskFromDelivery(
  room: Room,
  taskId: string,
  { deliveryId }: { readonly deliveryId: string },
  context: StepContext,
): Promise<CommandAnswer> {
  const { routed } = (await room.deliveries.load(deliveryId)).state;
  if (routed?.taskId !== taskId || routed.intent.kind !== 'create-task')
    return refuse('unknown-reference', `delivery ${deliveryId} does not ask for task ${taskId}`, {
      deliveryId,
      taskId,
    });
  const { title, description, repository, labels, priority, capabilities, source, requester } = routed.intent;
  const data = parseData(taskCommands['task.create'].data, {
    title,
    description,
    repository,
    labels,
    priority,
    capabilities,
    source,
    requester,
  });
  return createTask(room, taskId, data, context);
}
