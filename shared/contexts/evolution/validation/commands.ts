import { z } from 'zod';
import { defineCommands } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { validationEvents } from './events.ts';

const { ValidationRequested, ValidationPassed, ValidationFailed } = validationEvents.events;
/** `taskId` and `runId` are known from the aggregate's first event. */
const run = { taskId: true, runId: true } as const;

/** Only sagas send them; their data is what the event will say. */
export const validationCommands = defineCommands({
  'validation.request': { data: ValidationRequested.schema, sentBy: ['saga'] },
  'validation.pass': { data: ValidationPassed.schema.omit(run), sentBy: ['saga'] },
  'validation.fail': { data: ValidationFailed.schema.omit({ ...run, verdict: true }), sentBy: ['saga'] },
  'validation.cancel': { data: z.strictObject({ reason: text(1_000, 1) }), sentBy: ['saga'] },
});
