import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { uuid } from '../../values.ts';

const run = { taskId: uuid, runId: uuid };

export const mergeQueueEvents = defineStreamType({
  type: 'merge-queue',
  context: 'evolution',
  events: {
    MergeQueued: {
      version: 1,
      /** `baseBranch` is null for a run that was prepared before its plan told the branch. */
      schema: z.strictObject({ ...run, repository: z.string(), baseBranch: z.string().nullable() }),
    },
    MergeTurnBegan: { version: 1, schema: z.strictObject(run) },
    /** Of a turn, or of a place before its turn came. */
    MergeTurnEnded: {
      version: 1,
      schema: z.strictObject({
        ...run,
        outcome: z.enum(['merged', 'sent-back', 'left', 'released']),
        reason: z.string().nullable(),
      }),
    },
  },
});
export type MergeQueueEvent = EventOf<typeof mergeQueueEvents>;
