import type { EvolutionEvent } from '@workledger/shared/events/evolution.ts';
import { streamId } from '@workledger/shared/events/stream.ts';
import { evolutionModel, type EvolutionRow } from '@workledger/shared/read-models/evolution.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldEvolution } from './fold.ts';

export const evolutions = defineProjection<EvolutionRow, Recorded<EvolutionEvent>>(evolutionModel, {
  key: ({ stream }) => [streamId(stream)],
  fold: foldEvolution,
});
