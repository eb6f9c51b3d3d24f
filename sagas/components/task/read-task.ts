import { readState } from '@workledger/shared/aggregate/read-state.ts';
import { taskFold, type TaskDetails } from '@workledger/shared/contexts/task/task/state.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';

/** The words of a task. They stay in the task's own stream: what persons wrote is not copied into requests and results. */
export type TaskText = Pick<TaskDetails, 'title' | 'description'>;

export type ReadTask = (taskId: string) => Promise<TaskText>;

/** Reads a task's words from the log, as they are now. @throws LogBehind: a task that is worked on is there */
export const createTaskReader =
  (log: EventLog): ReadTask =>
  async (taskId) =>
    (await readState(log, taskFold, taskId, 0)).details;
