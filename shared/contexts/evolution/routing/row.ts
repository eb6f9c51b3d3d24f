import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { cost, uuid } from '../../values.ts';
import { complexityLevel, routedCandidate } from './events.ts';

export const routingRow = z.strictObject({
  id: uuid,
  revision,
  taskType: z.string(),
  complexity: complexityLevel,
  preferredModel: z.string().nullable(),
  repository: z.string().nullable(),
  model: z.string(),
  confidence: z.number().describe('the probability, by what was known, that no other model cost less for a success'),
  reason: z.string(),
  estimatedCostUsd: z.number(),
  candidates: z.array(routedCandidate).describe('what was known of each model then'),
  routedBy: z.string(),
  succeeded: z.boolean().nullable().describe('null: nobody told how it came out'),
  costUsd: cost,
  routedAt: time,
  reportedAt: time.nullable(),
});
export type RoutingRow = RowOf<typeof routingRow>;

export const routingModel = defineReadModel({
  name: 'routings',
  version: 1,
  table: 'routings',
  streams: ['routing'],
  schema: routingRow,
});
