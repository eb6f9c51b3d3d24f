import { z } from 'zod';
import { defineReadModel, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

/** One "waits for" edge. Whether a task is blocked is asked when it is asked: an edge to a task that is not complete. */
const dependencyRow = z.strictObject({
  id: z.string().describe('`<stream>/<taskId>/<dependsOn>`'),
  taskId: uuid,
  dependsOn: uuid,
  addedAt: time,
});
export type DependencyRow = RowOf<typeof dependencyRow>;

export const dependencyModel = defineReadModel({
  name: 'dependencies',
  version: 1,
  table: 'dependencies',
  streams: ['dependencies'],
  schema: dependencyRow,
});
