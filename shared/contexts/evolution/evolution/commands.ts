import { z } from 'zod';
import { evolutionEvents } from './events.ts';
import { generationEvents } from '../generation/events.ts';
import { validationEvents } from '../validation/events.ts';
import { text } from '../../text.ts';

const generation = generationEvents.events;
const evolution = evolutionEvents.events;
const validation = validationEvents.events;
/** `taskId` and `runId` are known from the aggregate's first event. */
const run = { taskId: true, runId: true } as const;
const cancel = z.strictObject({ reason: text(1_000, 1) });

/** Commands of the code-making aggregates. Only sagas send them; their data is what the event will say. */
export const evolutionCommands = {
  'generation.request': generation.GenerationRequested.schema,
  'generation.start-attempt': generation.GenerationAttemptStarted.schema.omit(run),
  'generation.fail-attempt': generation.GenerationAttemptFailed.schema.omit(run),
  'generation.succeed': generation.GenerationSucceeded.schema.omit(run),
  'generation.cancel': cancel,
  'evolution.start': evolution.EvolutionStarted.schema,
  'evolution.record-candidate': evolution.CandidateEvaluated.schema.omit(run),
  'evolution.fail-candidate': evolution.CandidateFailed.schema.omit(run),
  'evolution.fail': evolution.EvolutionFailed.schema.omit(run),
  'evolution.cancel': cancel,
  'validation.request': validation.ValidationRequested.schema,
  'validation.pass': validation.ValidationPassed.schema.omit(run),
  'validation.fail': validation.ValidationFailed.schema.omit({ ...run, verdict: true }),
  'validation.cancel': cancel,
} as const;
