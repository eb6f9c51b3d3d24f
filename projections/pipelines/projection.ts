import type { SagaEvent } from '@workledger/shared/events/saga.ts';
import { streamId } from '@workledger/shared/events/stream.ts';
import { pipelineModel, type PipelineRow } from '@workledger/shared/read-models/pipeline.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldPipeline } from './fold.ts';

/** One row a run of the code-evolution saga: its steps, their attempts, and what each attempt did. */
export const pipelines = defineProjection<PipelineRow, Recorded<SagaEvent>>(pipelineModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldPipeline,
});
