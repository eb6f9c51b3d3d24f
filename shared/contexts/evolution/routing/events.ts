import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { cost } from '../../values.ts';

export const complexityLevel = z.enum(['low', 'medium', 'high']);

/** A model that could be asked, and what was known of it then. */
export const routedCandidate = z.strictObject({
  model: z.string(),
  /** US dollars that a try was expected to take. */
  priceUsd: z.number().min(0),
  /** Tries at this type of task of this complexity, and at other types of it. */
  same: z.strictObject({ succeeded: z.int().min(0), failed: z.int().min(0) }),
  others: z.strictObject({ succeeded: z.int().min(0), failed: z.int().min(0) }),
  /** How likely a try was good, by what was known. */
  chance: z.number().min(0).max(1),
  /** How likely it was the best of all. */
  isBest: z.number().min(0).max(1),
});

export const routingEvents = defineStreamType({
  type: 'routing',
  context: 'evolution',
  events: {
    /** Which model a task is for. The id of the stream is the seed of the choice: from it and the candidates it can be made again. */
    ModelRouted: {
      version: 1,
      schema: z.strictObject({
        taskType: z.string(),
        complexity: complexityLevel,
        preferredModel: z.string().nullable(),
        repository: z.string().nullable(),
        model: z.string(),
        confidence: z.number().min(0).max(1),
        reason: z.string(),
        estimatedCostUsd: z.number().min(0),
        candidates: z.array(routedCandidate).min(1),
        routedBy: z.string(),
      }),
    },
    RoutingOutcomeReported: {
      version: 1,
      schema: z.strictObject({ succeeded: z.boolean(), costUsd: cost }),
    },
  },
});
export type RoutingEvent = EventOf<typeof routingEvents>;
