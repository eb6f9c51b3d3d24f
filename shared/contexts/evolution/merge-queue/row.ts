import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { uuid } from '../../values.ts';

export const mergePlaceRow = z.strictObject({
  id: uuid.describe('of the run'),
  revision,
  taskId: uuid,
  queueId: uuid.describe('of the merge queue'),
  repository: z.string(),
  baseBranch: z.string().nullable().describe('null: of a run that began before branches were told'),
  state: z.enum(['waiting', 'turn', 'merged', 'sent-back', 'left', 'released']),
  reason: z.string().nullable(),
  queuedAt: time.describe('who queued earlier has its turn earlier'),
  turnBeganAt: time.nullable(),
  endedAt: time.nullable(),
});
export type MergePlaceRow = RowOf<typeof mergePlaceRow>;

export const mergePlaceModel = defineReadModel({
  name: 'merge-queues',
  version: 1,
  table: 'merge_queues',
  streams: ['merge-queue'],
  schema: mergePlaceRow,
});
