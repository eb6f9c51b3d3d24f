import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0005-evolutions-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.evolutions_v1 (
        id text primary key,
        revision integer not null,
        task_id text not null,
        run_id text not null,
        repository text not null,
        state text not null,
        base text not null,
        before jsonb,
        baseline jsonb not null,
        plan jsonb not null,
        generations jsonb not null,
        best jsonb,
        commit text,
        reason text,
        failure jsonb,
        cost_usd double precision,
        started_at timestamptz not null,
        updated_at timestamptz not null,
        ended_at timestamptz
      ) with (fillfactor = 80);

      create index evolutions_v1_task on read_models.evolutions_v1 (task_id);
      create index evolutions_v1_started on read_models.evolutions_v1 (started_at, id);
      create view read_models.evolutions as select * from read_models.evolutions_v1;
    `);
  },
};

const ranking: Migration = {
  name: '0017-evolutions-ranking',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.evolutions_v1 add column ranking jsonb;
      create or replace view read_models.evolutions as select * from read_models.evolutions_v1;
    `);
  },
};

export const evolutionsMigrations: readonly Migration[] = [v1, ranking];
