import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { pipelineModel, type PipelineRow } from '@workledger/shared/contexts/saga/row.ts';
import { streamId, streamType } from '@workledger/shared/contexts/stream.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { endEffect, requestedEffect } from './effects.ts';
import { pipelinesMigrations } from './migration.ts';
import { changeStep, placeEffect } from './steps.ts';

/** The pipeline after the event. Any event can be its first. */
function foldPipeline(row: PipelineRow | undefined, event: Recorded<SagaEvent>): PipelineRow {
  const at = event.recordedAt.toISOString();
  const before = row ?? begun(streamId(event.stream), at);
  return { ...before, ...changes(before, event, at), revision: event.revision, updatedAt: at };
}

function changes(row: PipelineRow, event: SagaEvent, at: string): Partial<PipelineRow> {
  switch (event.type) {
    case 'SagaInputReceived': {
      const { stream } = event.data.source;
      return row.taskId === null && streamType(stream) === 'task' ? { taskId: streamId(stream) } : {};
    }
    case 'SagaStepChanged':
      return { steps: changeStep(row.steps, event.data, at) };
    case 'SagaEffectRequested': {
      const { effect } = event.data;
      return placeEffect(row, effect.key, (effects) => [...effects, requestedEffect(effect, at)]);
    }
    case 'SagaEffectSucceeded':
    case 'SagaEffectFailed':
    case 'SagaEffectInterrupted':
    case 'SagaEffectPostponed':
    case 'SagaEffectCancelled': {
      const { key } = event.data;
      return placeEffect(row, key, (effects) =>
        effects.map((one) => (one.key === key ? endEffect(one, event, at) : one)),
      );
    }
    case 'SagaEnded':
      return { state: event.data.outcome, failure: event.data.failure, endedAt: at };
  }
}

const begun = (id: string, at: string): PipelineRow => ({
  id,
  revision: 0,
  taskId: null,
  state: 'running',
  steps: [],
  effects: [],
  failure: null,
  startedAt: at,
  updatedAt: at,
  endedAt: null,
});

/** One row a run of the code-evolution saga: its steps, their attempts, and what each attempt did. */
export const pipelines = defineProjection<PipelineRow, Recorded<SagaEvent>>(pipelineModel, {
  migrations: pipelinesMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldPipeline,
});
