import type { CommandData } from '@workledger/shared/commands/catalogue.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import type { Complexity } from '@workledger/shared/contexts/task/task/events.ts';
import type { Described } from '@workledger/shared/estimates/features.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

type NewTask = Described & { readonly repository: string | null; readonly complexity: Complexity | null };

/** A new task, with an estimate where nobody says how hard it is. */
export const withEstimate = async <Data extends NewTask>({ estimates }: Room, data: Data): Promise<Data> =>
  data.complexity === null ? { ...data, complexity: await estimates.of(data) } : data;

/** Changes of a task, with a new estimate where what it says changes and it was only estimated. */
export async function changeTask(
  room: Room,
  taskId: string,
  data: CommandData<'task.change'>,
  context: StepContext,
): Promise<CommandAnswer> {
  const { state } = await room.tasks.load(taskId);
  const { details, repository } = state;
  const { title = details.title, description = details.description, labels = details.labels } = data;
  const saysOther = data.title !== undefined || data.description !== undefined || data.labels !== undefined;
  const isOpen = data.complexity === undefined && details.complexity?.estimated === true;
  const complexity = saysOther && isOpen ? await room.estimates.of({ title, description, labels, repository }) : null;
  const changed = complexity === null ? data : { ...data, complexity };
  return room.tasks.handle(taskId, { type: 'task.change', data: changed }, context);
}
