import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0006-generations-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.generations_v1 (
        id text primary key,
        revision integer not null,
        task_id text not null,
        run_id text not null,
        repository text not null,
        state text not null,
        base text not null,
        prompt jsonb,
        strategies text[] not null,
        attempts jsonb not null,
        commit text,
        diff_stat jsonb,
        diff jsonb,
        output jsonb,
        duration_ms double precision,
        cost_usd double precision,
        failure jsonb,
        reason text,
        requested_at timestamptz not null,
        updated_at timestamptz not null,
        ended_at timestamptz
      ) with (fillfactor = 80);

      create index generations_v1_task on read_models.generations_v1 (task_id);
      create index generations_v1_requested on read_models.generations_v1 (requested_at, id);
      create view read_models.generations as select * from read_models.generations_v1;
    `);
  },
};

export const generationsMigrations: readonly Migration[] = [v1];
