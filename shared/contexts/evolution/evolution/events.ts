import { z } from 'zod';
import { defineStreamType, type EventOf } from '../../define-events.ts';
import { artefact, commit, cost, diffStat, failure, metrics, uuid } from '../../values.ts';

const run = { taskId: uuid, runId: uuid };

/** How OpenEvolve writes the candidate, in place of an agent. */
export const openEvolvePlan = z.strictObject({
  /** What evolves: one file of the repository. */
  file: z
    .string()
    .min(1)
    .max(500)
    .regex(/^(?!\/)(?!.*(?:^|\/)\.\.?(?:\/|$))[^\\\0\r\n]+$/, 'a path inside of the repository'),
  /** Of the configured `models`: who is asked for each iteration. */
  model: z.string().min(1).max(100),
  iterations: z.int().min(1).max(10_000),
  /** Iterations between two checkpoints: what is done again after a kill. */
  checkpointEvery: z.int().min(1).max(1_000),
  /** Programs that are asked for and evaluated at once. */
  parallel: z.int().min(1).max(16),
  /** Then it goes on with the best it has. */
  timeoutSeconds: z.number().positive().max(86_400),
  /** What is done where OpenEvolve cannot be had. */
  otherwise: z.enum(['best-of-n', 'fail']),
});
export type OpenEvolvePlan = z.infer<typeof openEvolvePlan>;

export const evolutionPlan = z.strictObject({
  /** Name of the metric that decides. */
  metric: z.string().min(1).max(100),
  direction: z.enum(['minimize', 'maximize']),
  /** Candidates in one generation. */
  candidates: z.int().min(1).max(32),
  generations: z.int().min(1).max(100),
  /** Stop as soon as the best metric reaches this; null: no target. */
  target: z.number().nullable(),
  /** Stop when this many US dollars are spent; null: no limit. */
  budgetUsd: z.number().min(0).nullable(),
  /** Stop after this many generations without a better candidate. */
  patience: z.int().min(1),
  /** How often the start and the winner are measured again side by side, each; absent: written before this was asked. */
  measurements: z.int().min(2).max(10).optional(),
  /** Absent: agents write the candidates. */
  openevolve: openEvolvePlan.optional(),
});
export type EvolutionPlan = z.infer<typeof evolutionPlan>;

export const candidate = z.strictObject({
  /** `<generation>.<number>`, both from 1: stable over restarts. */
  id: z.string().regex(/^\d+\.\d+$/),
  commit,
  metrics,
});
export type Candidate = z.infer<typeof candidate>;

/** So many candidates may take the winner's place. */
export const MOST_RANKED = 10;

export const evolutionEvents = defineStreamType({
  type: 'evolution',
  context: 'evolution',
  events: {
    EvolutionStarted: {
      version: 1,
      schema: z.strictObject({
        ...run,
        repository: z.string(),
        /** The commit that evolution starts from. */
        base: commit,
        /** Metrics of the task's base commit, before any work. */
        before: metrics.nullable(),
        /** Metrics of `base`: the best until a candidate beats it. */
        baseline: metrics,
        plan: evolutionPlan,
      }),
    },
    EvolutionGenerationOpened: {
      version: 1,
      schema: z.strictObject({
        ...run,
        generation: z.int().min(1),
        /** Where its candidates start from. */
        parent: commit,
        candidates: z.array(z.string()).min(1),
      }),
    },
    CandidateEvaluated: {
      version: 1,
      schema: z.strictObject({
        ...run,
        generation: z.int().min(1),
        candidate: z.string(),
        commit,
        metrics,
        diffStat,
        diff: artefact,
        output: artefact,
        costUsd: cost,
        durationMs: z.int().min(0),
      }),
    },
    CandidateFailed: {
      version: 1,
      schema: z.strictObject({ ...run, generation: z.int().min(1), candidate: z.string(), failure, costUsd: cost }),
    },
    EvolutionGenerationClosed: {
      version: 1,
      schema: z.strictObject({
        ...run,
        generation: z.int().min(1),
        /** The best so far; null while nothing beats the start. */
        best: candidate.nullable(),
        improved: z.boolean(),
      }),
    },
    EvolutionCompleted: {
      version: 1,
      schema: z.strictObject({
        ...run,
        reason: z.enum(['target', 'budget', 'no-progress', 'generations']),
        best: candidate.nullable(),
        /** The commit to go on with: the best one's, or the start. */
        commit,
        /** What passed its tests and measured better than the start, best first. */
        ranking: z.array(candidate).max(MOST_RANKED).optional(),
        costUsd: cost,
      }),
    },
    EvolutionFailed: { version: 1, schema: z.strictObject({ ...run, failure }) },
    EvolutionCancelled: { version: 1, schema: z.strictObject({ ...run, reason: z.string() }) },
  },
});
export type EvolutionEvent = EventOf<typeof evolutionEvents>;
