import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import { streamName } from '@workledger/shared/events/stream.ts';
import type { TaskEvent } from '@workledger/shared/events/task.ts';
import { evolveTask, noTask, type TaskStatus } from '../../domain/task/task-state.ts';

/** How the task of an issue stands now, as its own stream tells it. */
export async function readTaskStatus(log: EventLog, taskId: string): Promise<TaskStatus> {
  let state = noTask;
  for await (const recorded of log.readStream(streamName('task', taskId)))
    state = evolveTask(state, upcast(recorded) as TaskEvent);
  return state.status;
}
