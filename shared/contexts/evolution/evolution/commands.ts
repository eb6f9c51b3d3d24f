import { z } from 'zod';
import { defineCommands } from '../../define-commands.ts';
import { text } from '../../text.ts';
import { evolutionEvents } from './events.ts';

const { EvolutionStarted, CandidateEvaluated, CandidateFailed, EvolutionFailed } = evolutionEvents.events;
/** `taskId` and `runId` are known from the aggregate's first event. */
const run = { taskId: true, runId: true } as const;

/** Only sagas send them; their data is what the event will say. */
export const evolutionCommands = defineCommands({
  'evolution.start': { data: EvolutionStarted.schema, sentBy: ['saga'] },
  'evolution.record-candidate': { data: CandidateEvaluated.schema.omit(run), sentBy: ['saga'] },
  'evolution.fail-candidate': { data: CandidateFailed.schema.omit(run), sentBy: ['saga'] },
  'evolution.fail': { data: EvolutionFailed.schema.omit(run) },
  'evolution.cancel': { data: z.strictObject({ reason: text(1_000, 1) }), sentBy: ['saga'] },
});
