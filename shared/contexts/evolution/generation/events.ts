import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { artefact, commit, cost, diffStat, failure, uuid } from '../../values.ts';

/** `runId` is the claim under which the work is done: the saga of that run follows these events. */
const run = { taskId: uuid, runId: uuid };

export const generationEvents = defineStreamType({
  type: 'generation',
  context: 'evolution',
  events: {
    GenerationRequested: {
      version: 1,
      schema: z.strictObject({
        ...run,
        repository: z.string(),
        base: commit,
        prompt: artefact.nullable(),
        /** Who is asked, one entry an attempt: an agent by its id, twice where it may try twice; `chat:<model>`; `codegen`. */
        strategies: z.array(z.string()).min(1),
      }),
    },
    GenerationAttemptStarted: {
      version: 1,
      schema: z.strictObject({ ...run, attempt: z.int().min(1), strategy: z.string() }),
    },
    GenerationAttemptFailed: {
      version: 1,
      schema: z.strictObject({ ...run, attempt: z.int().min(1), strategy: z.string(), failure, costUsd: cost }),
    },
    GenerationSucceeded: {
      version: 1,
      schema: z.strictObject({
        ...run,
        attempt: z.int().min(1),
        strategy: z.string(),
        commit,
        diffStat,
        diff: artefact,
        output: artefact,
        costUsd: cost,
        durationMs: z.int().min(0),
      }),
    },
    GenerationFailed: { version: 1, schema: z.strictObject({ ...run, failure }) },
    GenerationCancelled: { version: 1, schema: z.strictObject({ ...run, reason: z.string() }) },
  },
});
export type GenerationEvent = EventOf<typeof generationEvents>;
