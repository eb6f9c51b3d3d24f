import type { TaskEvent } from '@workledger/shared/events/task.ts';
import { streamId } from '@workledger/shared/events/stream.ts';
import { taskModel, type TaskRow } from '@workledger/shared/read-models/task.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldTask } from './fold.ts';

export const tasks = defineProjection<TaskRow, Recorded<TaskEvent>>(taskModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldTask,
});
