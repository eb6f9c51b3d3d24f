import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { artefact, commit, failure, uuid } from '../../values.ts';
import { checkResult } from './checks.ts';

const run = { taskId: uuid, runId: uuid };
/** Absent: written before checks had names. */
const checks = z.array(checkResult).max(21).optional();

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
      schema: z.strictObject({ ...run, report: artefact, protectedChanges: z.array(z.string()), checks }),
    },
    ValidationFailed: {
      version: 1,
      schema: z.strictObject({
        ...run,
        failure,
        protectedChanges: z.array(z.string()),
        verdict: z.enum(['back-to-work', 'failed']),
        checks,
      }),
    },
    ValidationCancelled: { version: 1, schema: z.strictObject({ ...run, reason: z.string() }) },
  },
});
export type ValidationEvent = EventOf<typeof validationEvents>;
