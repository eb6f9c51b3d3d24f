import { z } from 'zod';
import { candidate, evolutionPlan } from './events.ts';
import { defineReadModel, revision, time, type RowOf } from '../../define-row.ts';
import { artefact, commit, cost, diffStat, failure, metrics, uuid } from '../../values.ts';

const candidateView = z.strictObject({
  id: z.string(),
  state: z.enum(['running', 'evaluated', 'failed']),
  commit: commit.nullable(),
  metrics: metrics.nullable(),
  diffStat: diffStat.nullable(),
  diff: artefact.nullable(),
  output: artefact.nullable(),
  costUsd: cost,
  durationMs: z.number().nullable(),
  failure: failure.nullable(),
  endedAt: time.nullable(),
});
export type CandidateView = RowOf<typeof candidateView>;

const evolutionGeneration = z.strictObject({
  generation: z.int(),
  parent: commit,
  candidates: z.array(candidateView),
  best: candidate.nullable(),
  improved: z.boolean().nullable(),
  openedAt: time,
  closedAt: time.nullable(),
});
export type EvolutionGenerationView = RowOf<typeof evolutionGeneration>;

export const evolutionRow = z.strictObject({
  id: uuid,
  revision,
  taskId: uuid,
  runId: uuid,
  repository: z.string(),
  state: z.enum(['running', 'completed', 'failed', 'cancelled']),
  base: commit,
  before: metrics.nullable(),
  baseline: metrics,
  plan: evolutionPlan,
  generations: z.array(evolutionGeneration),
  best: candidate.nullable(),
  commit: commit.nullable().describe('the commit that the run went on with'),
  reason: z.string().nullable(),
  failure: failure.nullable(),
  costUsd: cost.describe('US dollars known to be spent so far'),
  startedAt: time,
  updatedAt: time,
  endedAt: time.nullable(),
  ranking: z
    .array(candidate)
    .nullable()
    .describe('what passed its tests and measured better than the start, best first; null before the end'),
});
export type EvolutionRow = RowOf<typeof evolutionRow>;

export const evolutionModel = defineReadModel({
  name: 'evolutions',
  version: 1,
  table: 'evolutions',
  streams: ['evolution'],
  schema: evolutionRow,
});
