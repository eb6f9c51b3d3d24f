import { setImmediate } from 'node:timers/promises';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { dependenciesId } from '@workledger/shared/contexts/task/dependencies/events.ts';
import {
  countWaiting,
  partsOf,
  waitingTasks,
  waitsFor,
  type Edges,
} from '@workledger/shared/contexts/task/dependencies/state.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { sideBySide } from '@workledger/shared/resilience/in-turn.ts';
import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { holds, type TaskDecisions } from '../domain/task.ts';
import { SIDE_BY_SIDE } from './cycles.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type Completion = {
  [Type in 'task.complete' | 'task.complete-parent']: { readonly type: Type; readonly data: TaskDecisions[Type] };
}['task.complete' | 'task.complete-parent'];

/** Completes a task; what it waited for is over then. @throws CommandRefused */
export async function completeTask(
  room: Room,
  taskId: string,
  command: Completion,
  context: StepContext,
): Promise<CommandAnswer> {
  const answer = await room.tasks.handle(taskId, command, context);
  // The task is complete whatever becomes of its edges: those that stay cost memory, nothing else.
  await settleEdges(room, taskId).catch(() => undefined);
  return answer;
}

async function settleEdges(room: Room, taskId: string): Promise<void> {
  const { state } = await room.tasks.load(taskId);
  const edgesId = dependenciesId(state.repository);
  const edges = (await room.dependencies.load(edgesId)).state;
  if (waitsFor(edges, taskId).length + partsOf(edges, taskId).length > 0) await settle(room, edgesId, [taskId]);
  void settlePast(room, edgesId, edges).catch(() => undefined);
}

const settle = (room: Room, edgesId: string, finished: readonly string[]): Promise<CommandAnswer> =>
  room.dependencies.handle(
    edgesId,
    { type: 'dependencies.settle', data: { finished } },
    { actor: 'system', correlationId: newId() },
  );

/** Tasks that wait: fewer are not worth a look. */
const MANY = 1_000;
/** Tasks looked at in one pass: the next one comes with the next task that is complete. */
export const A_PASS = 200;
const REST_MS = 3_600_000;

async function settlePast(room: Room, edgesId: string, edges: Edges): Promise<void> {
  const past = room.pastEdges.get(edgesId) ?? { unseen: [], running: false, restsUntil: 0 };
  room.pastEdges.set(edgesId, past);
  const now = performance.now();
  if (past.running || (past.unseen.length === 0 && now < past.restsUntil)) return;
  if (past.unseen.length === 0) {
    past.restsUntil = now + REST_MS;
    // To count them is to read them all: once a rest, and not while somebody waits for an answer.
    await setImmediate();
    if (countWaiting(edges) <= MANY) return;
    for (const id of waitingTasks(edges)) past.unseen.push(id);
  }
  past.running = true;
  try {
    const some = past.unseen.splice(-A_PASS);
    const complete = await sideBySide(some, SIDE_BY_SIDE, (id) => isComplete(room.log, id));
    const finished = some.filter((_, index) => complete[index]);
    if (finished.length > 0) await settle(room, edgesId, finished);
  } finally {
    past.running = false;
  }
}

/** Nothing comes after it; so the last event tells, without reading the others. */
async function isComplete(log: EventLog, taskId: string): Promise<boolean> {
  for await (const { type } of log.readStream(streamName('task', taskId), { direction: 'backward', limit: 1 }))
    return type === 'TaskCompleted';
  return false;
}

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
