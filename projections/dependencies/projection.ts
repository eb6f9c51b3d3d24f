import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { dependencyModel, type DependencyRow } from '@workledger/shared/contexts/task/dependencies/row.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';
import { dependenciesMigrations } from './migration.ts';

/** One row an edge. */
export const dependencies = defineProjection<DependencyRow, Recorded<DependenciesEvent>>(dependencyModel, {
  migrations: dependenciesMigrations,
  key: ({ stream, data }) => [`${stream}/${data.taskId}/${data.dependsOn}`],
  fold: (_row, event, id) => {
    if (event.type === 'DependencyRemoved') return undefined;
    const { taskId, dependsOn } = event.data;
    return { id, taskId, dependsOn, addedAt: event.recordedAt.toISOString() };
  },
});
