import { agents } from './agents/projection.ts';
import { deliveries } from './deliveries/projection.ts';
import { dependencies } from './dependencies/projection.ts';
import type { Projection } from './engine/projection.ts';
import { runProjection, type RunOptions } from './engine/run-projection.ts';
import { evolutions } from './evolutions/projection.ts';
import { generations } from './generations/projection.ts';
import { keys } from './keys/projection.ts';
import { pipelines } from './pipelines/projection.ts';
import { tasks } from './tasks/projection.ts';
import { validations } from './validations/projection.ts';

/** Every projection there is. A new one is added here and to the migrations. */
export const projections: readonly Projection[] = [
  tasks,
  dependencies,
  agents,
  evolutions,
  generations,
  validations,
  pipelines,
  deliveries,
  keys,
];

/** Keeps all read models up to date until the signal aborts. Their tables must be there: `migrateReadModels`. */
export async function runProjections(options: Omit<RunOptions, 'projection'>): Promise<void> {
  await Promise.all(projections.map((projection) => runProjection({ ...options, projection })));
}
