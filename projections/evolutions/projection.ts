import type { EvolutionEvent } from '@workledger/shared/contexts/evolution/evolution/events.ts';
import { streamId } from '@workledger/shared/contexts/stream.ts';
import { evolutionModel, type EvolutionRow } from '@workledger/shared/contexts/evolution/evolution/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { foldEvolution } from './fold.ts';
import { evolutionsMigrations } from './migration.ts';

export const evolutions = defineProjection<EvolutionRow, Recorded<EvolutionEvent>>(evolutionModel, {
  migrations: evolutionsMigrations,
  key: ({ stream }) => [streamId(stream)],
  fold: foldEvolution,
});
