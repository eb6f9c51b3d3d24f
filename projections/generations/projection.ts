import type { GenerationEvent } from '@workledger/shared/events/generation.ts';
import { streamId } from '@workledger/shared/events/stream.ts';
import { generationModel, type GenerationRow } from '@workledger/shared/read-models/generation.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldGeneration } from './fold.ts';

export const generations = defineProjection<GenerationRow, Recorded<GenerationEvent>>(generationModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldGeneration,
});
