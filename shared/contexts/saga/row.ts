import type { SagaEvent } from './events.ts';
import type { ArtefactReference, Failure } from '../values.ts';
import { defineReadModel } from '../define-row.ts';

export type StepState = Extract<SagaEvent, { type: 'SagaStepChanged' }>['data']['state'];

/** One effect of a pipeline: what was asked of whom, how it ended, and where its papers are. */
export type PipelineEffect = {
  readonly key: string;
  readonly kind: 'command' | 'call' | 'timer';
  /** Component, command type, or `timer`. */
  readonly name: string;
  readonly state: 'requested' | 'succeeded' | 'failed' | 'cancelled';
  /** Named bodies that the result tells of: prompt, output, diff, report, log. */
  readonly artefacts: Readonly<Record<string, ArtefactReference>>;
  readonly exitCode: number | null;
  readonly commit: string | null;
  readonly costUsd: number | null;
  readonly durationMs: number | null;
  readonly failure: Failure | null;
  readonly requestedAt: string;
  readonly endedAt: string | null;
};

/** One try of a step. */
export type PipelineAttempt = {
  readonly round: number;
  readonly attempt: number;
  readonly state: StepState;
  readonly detail: unknown;
  readonly effects: readonly PipelineEffect[];
  readonly startedAt: string;
  readonly updatedAt: string;
};

export type PipelineStep = {
  readonly step: string;
  readonly state: StepState;
  readonly attempts: readonly PipelineAttempt[];
  /** How it was undone; null: it was not. */
  readonly compensation: Pick<PipelineAttempt, 'state' | 'detail' | 'effects' | 'startedAt' | 'updatedAt'> | null;
};

export type PipelineRow = {
  /** The claim under which the work is done. */
  readonly id: string;
  readonly revision: number;
  readonly taskId: string | null;
  readonly state: 'running' | 'completed' | 'failed' | 'cancelled';
  readonly steps: readonly PipelineStep[];
  /** What was asked outside of any step. */
  readonly effects: readonly PipelineEffect[];
  readonly failure: Failure | null;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly endedAt: string | null;
};

export const pipelineModel = defineReadModel<PipelineRow>({
  name: 'pipelines',
  version: 1,
  table: 'pipelines',
  streams: ['saga-code-evolution'],
  columns: {
    id: true,
    revision: true,
    taskId: true,
    state: true,
    steps: true,
    effects: true,
    failure: true,
    startedAt: true,
    updatedAt: true,
    endedAt: true,
  },
});
