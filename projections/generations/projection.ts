import type { GenerationEvent } from '@workledger/shared/contexts/evolution/generation/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { generationModel, type GenerationRow } from '@workledger/shared/contexts/evolution/generation/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldGeneration } from './fold.ts';
import { generationsMigrations } from './migration.ts';

export const generations = defineProjection<GenerationRow, Recorded<GenerationEvent>>(generationModel, {
  migrations: generationsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldGeneration,
});
