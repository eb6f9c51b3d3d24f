import { z } from 'zod';
import { defineCommands } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { generationEvents } from './events.ts';

const { GenerationRequested, GenerationAttemptStarted, GenerationAttemptFailed, GenerationSucceeded } =
  generationEvents.events;
/** `taskId` and `runId` are known from the aggregate's first event. */
const run = { taskId: true, runId: true } as const;

/** Only sagas send them; their data is what the event will say. */
export const generationCommands = defineCommands({
  'generation.request': { data: GenerationRequested.schema, sentBy: ['saga'] },
  'generation.start-attempt': { data: GenerationAttemptStarted.schema.omit(run), sentBy: ['saga'] },
  'generation.fail-attempt': { data: GenerationAttemptFailed.schema.omit(run), sentBy: ['saga'] },
  'generation.succeed': { data: GenerationSucceeded.schema.omit(run), sentBy: ['saga'] },
  'generation.cancel': { data: z.strictObject({ reason: text(1_000, 1) }), sentBy: ['saga'] },
});
