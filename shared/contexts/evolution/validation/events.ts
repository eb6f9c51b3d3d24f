import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { artefact, commit, failure, uuid } from '../../values.ts';

const run = { taskId: uuid, runId: uuid };

export const validationEvents = defineStreamType({
  type: 'validation',
  context: 'evolution',
  events: {
    ValidationRequested: {
      version: 1,
      schema: z.strictObject({ ...run, repository: z.string(), commit, base: commit, sendBackAllowed: z.boolean() }),
    },
    ValidationPassed: {
      version: 1,
      schema: z.strictObject({ ...run, report: artefact, protectedChanges: z.array(z.string()) }),
    },
    ValidationFailed: {
      version: 1,
      schema: z.strictObject({
        ...run,
        failure,
        protectedChanges: z.array(z.string()),
        verdict: z.enum(['back-to-work', 'failed']),
      }),
    },
    ValidationCancelled: { version: 1, schema: z.strictObject({ ...run, reason: z.string() }) },
  },
});
export type ValidationEvent = EventOf<typeof validationEvents>;
