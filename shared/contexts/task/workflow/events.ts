import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';

/** A definition as it was taken: judged then, and read by later versions of this program, too (`definition.ts`). */
export const definitionAsTaken = z.looseObject({
  name: z.string(),
  steps: z.array(z.looseObject({ id: z.string(), kind: z.string() })),
});

export const workflowEvents = defineStreamType({
  type: 'workflow',
  context: 'task',
  events: {
    /** A version; the first one makes the workflow. */
    WorkflowDefined: {
      version: 1,
      schema: z.strictObject({
        version: z.int().min(1),
        definition: definitionAsTaken,
        repository: z.string().nullable(),
        definedBy: z.string(),
      }),
    },
    /** No new run of it begins. Those that run go on. */
    WorkflowRetired: { version: 1, schema: z.strictObject({ retiredBy: z.string(), reason: z.string() }) },
  },
});
export type WorkflowEvent = EventOf<typeof workflowEvents>;
