import { upcast } from '@workledger/shared/events/codec.ts';
import { streamName } from '@workledger/shared/events/stream.ts';
import type { TaskEvent } from '@workledger/shared/events/task.ts';
import { readKnown } from '@workledger/shared/event-log/read-known.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

/** The words of a task. They stay in the task's own stream: what persons wrote is not copied into requests and results. */
export type TaskText = { readonly title: string; readonly description: string };

export type ReadTask = (taskId: string) => Promise<TaskText>;

/** Reads a task's words from the log, as they are now. @throws LogBehind: a task that is worked on is there */
export const createTaskReader =
  (log: EventLog): ReadTask =>
  async (taskId) => {
    let text: TaskText = { title: '', description: '' };
    for await (const recorded of readKnown(log, streamName('task', taskId), { from: 0, reaches: 0 })) {
      const { type, data } = upcast(recorded) as unknown as TaskEvent;
      if (type === 'TaskCreated') text = { title: data.title, description: data.description };
      if (type === 'TaskDetailsChanged')
        text = { title: data.title ?? text.title, description: data.description ?? text.description };
    }
    return text;
  };
