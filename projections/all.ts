import { agents } from './agents/projection.ts';
import { untilLogIsRight, type CheckOptions } from './check-log.ts';
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

/** Every projection there is. A new one is added here, and nowhere else. */
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

export type RunProjectionsOptions = Omit<RunOptions, 'projection'> & Pick<CheckOptions, 'onProblem'>;

/** Keeps all read models up to date until the signal aborts; waits, and says so, when they are made from another log. Their tables must be there: `migrateReadModels`. */
export async function runProjections(options: RunProjectionsOptions): Promise<void> {
  await untilLogIsRight(options);
  await Promise.all(projections.map((projection) => runProjection({ ...options, projection })));
}
