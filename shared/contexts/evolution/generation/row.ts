import { z } from 'zod';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { artefact, commit, cost, diffStat, failure, uuid } from '../../values.ts';

const generationAttempt = z.strictObject({
  attempt: z.int(),
  strategy: z.string(),
  state: z.enum(['running', 'failed', 'succeeded']),
  failure: failure.nullable(),
  costUsd: cost,
  startedAt: time,
  endedAt: time.nullable(),
});
export type GenerationAttemptView = RowOf<typeof generationAttempt>;

export const generationRow = z.strictObject({
  id: uuid,
  revision,
  taskId: uuid,
  runId: uuid,
  repository: z.string(),
  state: z.enum(['requested', 'running', 'succeeded', 'failed', 'cancelled']),
  base: commit,
  prompt: artefact.nullable(),
  strategies: z.array(z.string()),
  attempts: z.array(generationAttempt),
  commit: commit.nullable(),
  diffStat: diffStat.nullable(),
  diff: artefact.nullable(),
  output: artefact.nullable(),
  durationMs: z.number().nullable(),
  costUsd: cost.describe('US dollars known to be spent, over all attempts'),
  failure: failure.nullable(),
  reason: z.string().nullable(),
  requestedAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
});
export type GenerationRow = RowOf<typeof generationRow>;

export const generationModel = defineReadModel({
  name: 'generations',
  version: 1,
  table: 'generations',
  streams: ['generation'],
  schema: generationRow,
});
