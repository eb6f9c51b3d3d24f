import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { taskModel, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldTask } from './fold.ts';

export const tasks = defineProjection<TaskRow, Recorded<TaskEvent>>(taskModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldTask,
});
