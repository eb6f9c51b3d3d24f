import { taskCommands } from '@workledger/shared/contexts/task/task/commands.ts';
import type { CommandAnswer } from '@workledger/shared/commands/port.ts';
import { refuse } from '@workledger/shared/commands/refusal.ts';
import { createTask } from './create-task.ts';
import { parseData } from './parse-data.ts';
import type { Room } from './room.ts';
import type { StepContext } from './step.ts';

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
