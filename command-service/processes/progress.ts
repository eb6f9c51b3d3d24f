import { checkRevision, recall } from '@workledger/shared/aggregate/handle.ts';
import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { holds } from '../domain/task.ts';
import type { Room } from './room.ts';
import { unchanged, type StepContext } from './step.ts';

/**
 * Takes a report: the newest of a claim stands in a table beside the heartbeats, and readers see it from there. An event tells the
 * first one, the first beyond each tenth, and else one a minute, so that a chatty agent does not fill the log.
 * @throws CommandRefused
 */
export async function reportProgress(
  room: Room,
  taskId: string,
  data: CommandData<'task.report-progress'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const command = { type: 'task.report-progress', data } as const;
  const task = await room.tasks.load(taskId);
  if (recall(task.commands, context.commandId, context.commandHash) !== undefined)
    return room.tasks.handle(taskId, command, context);
  holds(task.state, data.claimId, context);
  checkRevision(task, context);
  const { commandId, commandHash } = context;
  const noted = await room.reports.note({ taskId, ...data, commandId, commandHash, revision: task.revision });
  if (noted === 'tell') return room.tasks.handle(taskId, command, context);
  return unchanged(taskId, { ...task, revision: noted });
}
