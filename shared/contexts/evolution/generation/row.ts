import type { ArtefactReference, DiffStat, Failure } from '../../values.ts';
import { defineReadModel } from '../../define-row.ts';

export type GenerationAttemptView = {
  readonly attempt: number;
  readonly strategy: string;
  readonly state: 'running' | 'failed' | 'succeeded';
  readonly failure: Failure | null;
  readonly costUsd: number | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
};

export type GenerationRow = {
  readonly id: string;
  readonly revision: number;
  readonly taskId: string;
  readonly runId: string;
  readonly repository: string;
  readonly state: 'requested' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly base: string;
  readonly prompt: ArtefactReference | null;
  readonly strategies: readonly string[];
  readonly attempts: readonly GenerationAttemptView[];
  readonly commit: string | null;
  readonly diffStat: DiffStat | null;
  readonly diff: ArtefactReference | null;
  readonly output: ArtefactReference | null;
  readonly durationMs: number | null;
  /** US dollars known to be spent, over all attempts. */
  readonly costUsd: number | null;
  readonly failure: Failure | null;
  readonly reason: string | null;
  readonly requestedAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
};

export const generationModel = defineReadModel<GenerationRow>({
  name: 'generations',
  version: 1,
  table: 'generations',
  streams: ['generation'],
  columns: {
    id: true,
    revision: true,
    taskId: true,
    runId: true,
    repository: true,
    state: true,
    base: true,
    prompt: true,
    strategies: true,
    attempts: true,
    commit: true,
    diffStat: true,
    diff: true,
    output: true,
    durationMs: true,
    costUsd: true,
    failure: true,
    reason: true,
    requestedAt: true,
    updatedAt: true,
    endedAt: true,
  },
});
