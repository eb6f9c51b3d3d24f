import type { DependenciesEvent } from '@workledger/shared/contexts/task/dependencies/events.ts';
import { dependencyModel, type DependencyRow } from '@workledger/shared/contexts/task/dependencies/row.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { defineProjection, type Recorded } from '../engine/projection.ts';

const v1: Migration = {
  name: '0003-dependencies-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.dependencies_v1 (
        id text primary key,
        task_id text not null,
        depends_on text not null,
        added_at timestamptz not null
      );

      create index dependencies_v1_task on read_models.dependencies_v1 (task_id);
      create index dependencies_v1_depends_on on read_models.dependencies_v1 (depends_on);
      create view read_models.dependencies as select * from read_models.dependencies_v1;
    `);
  },
};

const dependenciesMigrations: readonly Migration[] = [v1];

/** One row an edge. What a task that is complete waited for stays: it tells how the work hung together. */
export const dependencies = defineProjection<DependencyRow, Recorded<DependenciesEvent>>(dependencyModel, {
  migrations: dependenciesMigrations,
  key: ({ stream, data }) => ('dependsOn' in data ? [`${stream}/${data.taskId}/${data.dependsOn}`] : []),
  fold: (_row, event, id) => {
    if (event.type !== 'DependencyAdded') return undefined;
    const { taskId, dependsOn } = event.data;
    return { id, taskId, dependsOn, addedAt: event.recordedAt.toISOString() };
  },
});
