import type { TaskEvent } from '@workledger/shared/contexts/task/task/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { taskModel, type TaskRow } from '@workledger/shared/contexts/task/task/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldTask } from './fold.ts';
import { tasksMigrations } from './migration.ts';

export const tasks = defineProjection<TaskRow, Recorded<TaskEvent>>(taskModel, {
  migrations: tasksMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldTask,
});
