import type { Candidate, EvolutionPlan } from './events.ts';
import type { ArtefactReference, DiffStat, Failure, Metrics } from '../../values.ts';
import { defineReadModel } from '../../define-row.ts';

export type CandidateView = {
  readonly id: string;
  readonly state: 'running' | 'evaluated' | 'failed';
  readonly commit: string | null;
  readonly metrics: Metrics | null;
  readonly diffStat: DiffStat | null;
  readonly diff: ArtefactReference | null;
  readonly output: ArtefactReference | null;
  readonly costUsd: number | null;
  readonly durationMs: number | null;
  readonly failure: Failure | null;
  readonly endedAt: string | null;
};

export type EvolutionGenerationView = {
  readonly generation: number;
  readonly parent: string;
  readonly candidates: readonly CandidateView[];
  readonly best: Candidate | null;
  readonly improved: boolean | null;
  readonly openedAt: string;
  readonly closedAt: string | null;
};

export type EvolutionRow = {
  readonly id: string;
  readonly revision: number;
  readonly taskId: string;
  readonly runId: string;
  readonly repository: string;
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly base: string;
  readonly before: Metrics | null;
  readonly baseline: Metrics;
  readonly plan: EvolutionPlan;
  readonly generations: readonly EvolutionGenerationView[];
  readonly best: Candidate | null;
  /** The commit that the run went on with. */
  readonly commit: string | null;
  readonly reason: string | null;
  readonly failure: Failure | null;
  /** US dollars known to be spent so far. */
  readonly costUsd: number | null;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
};

export const evolutionModel = defineReadModel<EvolutionRow>({
  name: 'evolutions',
  version: 1,
  table: 'evolutions',
  streams: ['evolution'],
  columns: {
    id: true,
    revision: true,
    taskId: true,
    runId: true,
    repository: true,
    state: true,
    base: true,
    before: true,
    baseline: true,
    plan: true,
    generations: true,
    best: true,
    commit: true,
    reason: true,
    failure: true,
    costUsd: true,
    startedAt: true,
    updatedAt: true,
    endedAt: true,
  },
});
