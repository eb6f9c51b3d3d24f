import { recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { TaskResult } from '@workledger/shared/contexts/task/task/events.ts';
import type { Room } from './room.ts';
import { unchanged, type StepContext } from './step.ts';

/**
 * Completes a task whose subtasks are all complete, or cancelled, but not all of them cancelled; its result is the sum of
 * theirs.
 * @throws CommandRefused
 */
export async function completeParent(room: Room, taskId: string, context: StepContext): Promise<CommandAnswer> {
  const parent = await room.tasks.load(taskId);
  const remembered = recall(parent.commands, context.commandId, context.commandHash);
  if (remembered !== undefined) return unchanged(taskId, { stream: parent.stream, revision: remembered.revision });

  const results: TaskResult[] = [];
  const cancelled: string[] = [];
  const waitingFor: string[] = [];
  for (const id of parent.state.subtasks) {
    const { status, result } = (await room.tasks.load(id)).state;
    if (status === 'complete' && result !== null) results.push(result);
    else if (status === 'cancelled') cancelled.push(id);
    else waitingFor.push(id);
  }
  if (results.length === 0) waitingFor.push(...cancelled);
  if (waitingFor.length > 0)
    refuse('blocked', `${waitingFor.length} of ${parent.state.subtasks.length} subtasks are not complete`, {
      waitingFor,
    });
  return room.tasks.handle(taskId, { type: 'task.complete-parent', data: { result: sumOf(results) } }, context);
}

const sumOf = (results: readonly TaskResult[]): TaskResult => ({
  commit: null,
  branch: null,
  merged: results.length > 0 && results.every(({ merged }) => merged),
  diffStat: results
    .map(({ diffStat }) => diffStat)
    .filter((stat) => stat !== null)
    .reduce<TaskResult['diffStat']>(
      (sum, stat) => ({
        files: (sum?.files ?? 0) + stat.files,
        insertions: (sum?.insertions ?? 0) + stat.insertions,
        deletions: (sum?.deletions ?? 0) + stat.deletions,
      }),
      null,
    ),
  metricsBefore: null,
  metricsAfter: null,
  costUsd: results.reduce<number | null>((sum, { costUsd }) => (costUsd === null ? sum : (sum ?? 0) + costUsd), null),
  durationMs: results.reduce((sum, { durationMs }) => sum + durationMs, 0),
});
