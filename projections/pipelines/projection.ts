import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { pipelineModel, type PipelineRow } from '@workledger/shared/contexts/saga/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldPipeline } from './fold.ts';
import { pipelinesMigrations } from './migration.ts';

/** One row a run of the code-evolution saga: its steps, their attempts, and what each attempt did. */
export const pipelines = defineProjection<PipelineRow, Recorded<SagaEvent>>(pipelineModel, {
  migrations: pipelinesMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldPipeline,
});
