import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { CommandRefused, refuse } from '@workledger/shared/commands/refusal.ts';
import { derivedId } from '@workledger/shared/contexts/stream.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import type { TaskState } from '@workledger/shared/contexts/task/task/state.ts';
import { createLook } from './cycles.ts';
import { createChecked, creation } from './create-task.ts';
import { withEstimate } from './change-task.ts';
import { checkReferences } from './references.ts';
import type { Room } from './room.ts';
import { joinTokens, step, type StepContext } from './step.ts';
import { cancelWithSubtasks, unlessRefused } from './subtasks.ts';

/**
 * Cuts a task into subtasks: the repository's edges tell of them first, then they are created, then the parent says so. When it may
 * not, they are cancelled again; a saga does so where this process cannot. A subtask without a repository has its parent's.
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
  const round = roundOf(state, context);
  const subtasks = data.subtasks.map((subtask, index) => ({
    taskId: subtaskId(context, index, round),
    context: step(context, 'subtask', String(index), ...roundName(round)),
    repository: subtask.repository ?? state.repository,
    dependsOn: subtask.dependencies,
    data: {
      ...subtask,
      repository: subtask.repository ?? state.repository,
      parentId: taskId,
      source: { kind: 'api' as const, reference: null, url: null },
      requester: null,
    },
  }));
  let finished: readonly string[] = [];
  if (!isRepeat) {
    if (state.status === 'missing') refuse('not-found', 'there is no such task');
    checkRevision(parent, context);
    if (state.status !== 'pending' || state.subtasks.length > 0)
      refuse('illegal-transition', 'only a pending task without subtasks can be expanded', { status: state.status });
    finished = await checkReferences(room, subtasks, taskId);
  }

  const ids = subtasks.map((subtask) => subtask.taskId);
  const inRepository = subtasks.filter(({ repository }) => repository === state.repository);
  const telling = step(context, 'add-parts', ...roundName(round));
  const edgesId = dependenciesId(state.repository);
  // Before edges knew of parts, each subtask brought its own: a command of then answers as it did.
  const isTold = !isRepeat || (await room.dependencies.load(edgesId)).commands.has(telling.commandId);
  const edges = { taskId, subtasks: ids, edges: inRepository, finished };
  const told = isTold
    ? [await room.dependencies.handle(edgesId, { type: 'dependencies.expand', data: edges }, telling)]
    : [];
  try {
    const created: CommandAnswer[] = [];
    for (const subtask of subtasks) {
      const data = await withEstimate(room, subtask.data);
      created.push(
        isTold && subtask.repository === state.repository
          ? await room.tasks.handle(subtask.taskId, creation(room, data), subtask.context)
          : await createChecked(room, subtask.taskId, data, subtask.context, finished),
      );
    }
    const expanded = await room.tasks.handle(taskId, { type: 'task.expand', data: { subtasks: ids } }, context);
    return { ...expanded, token: joinTokens(expanded, ...created, ...told), details: { subtasks: ids } };
  } catch (error) {
    if (error instanceof CommandRefused && error.code !== 'idempotency-key-reused')
      await giveUpExpansion(room, taskId, { subtasks: ids }, step(context, 'give-up', ...roundName(round)));
    throw error;
  }
}

/** What was given up is not taken up again: the same command, asked again, makes others. */
function roundOf({ givenUp }: TaskState, context: StepContext): number {
  let round = 0;
  while (givenUp.includes(subtaskId(context, 0, round))) round++;
  return round;
}

const subtaskId = ({ commandId }: StepContext, index: number, round: number): string =>
  derivedId('task', commandId, 'subtask', String(index), ...roundName(round));

/** The first is not named: its ids are those of before there were rounds. */
const roundName = (round: number): readonly string[] => (round === 0 ? [] : [String(round)]);

/**
 * Ends an expansion that its parent never said: the parent will not say so any more, what was created is cancelled (what is
 * complete stays), and the edges forget it. Nothing, where the parent did say so.
 * @returns `details.missing`: subtasks that were not there @throws CommandRefused
 */
export async function giveUpExpansion(
  room: Room,
  taskId: string,
  { subtasks }: CommandData<'task.give-up-expansion'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const given = await room.tasks.handle(taskId, { type: 'task.give-up-expansion', data: { subtasks } }, context);
  const { state } = await room.tasks.load(taskId);
  if (subtasks.some((id) => state.subtasks.includes(id))) return { ...given, details: { missing: [] } };

  const stateOf = await createLook(room)(subtasks);
  const missing = subtasks.filter((id) => stateOf(id).status === 'missing');
  const cancellation = { reason: 'the task was not expanded after all', withWhole: true };
  for (const id of subtasks)
    if (!missing.includes(id))
      await unlessRefused(cancelWithSubtasks(room, id, cancellation, step(context, 'cancel', id)));
  await room.dependencies.handle(
    dependenciesId(state.repository),
    { type: 'dependencies.give-up', data: { taskId, subtasks, missing } },
    step(context, 'remove-parts'),
  );
  return { ...given, details: { missing } };
}
