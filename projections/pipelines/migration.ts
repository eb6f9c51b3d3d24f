import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0008-pipelines-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.pipelines_v1 (
        id text primary key,
        revision integer not null,
        task_id text,
        state text not null,
        steps jsonb not null,
        effects jsonb not null,
        failure jsonb,
        started_at timestamptz not null,
        updated_at timestamptz not null,
        ended_at timestamptz
      ) with (fillfactor = 70);

      create index pipelines_v1_task on read_models.pipelines_v1 (task_id);
      create index pipelines_v1_started on read_models.pipelines_v1 (started_at, id);
      create view read_models.pipelines as select * from read_models.pipelines_v1;
    `);
  },
};

export const pipelinesMigrations: readonly Migration[] = [v1];
