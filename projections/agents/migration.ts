import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0004-agents-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.agents_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        kind text not null,
        runtime text not null,
        capabilities text[] not null,
        capacity integer not null,
        coordinator_id text,
        status text not null,
        claims jsonb not null,
        connected boolean not null,
        enabled boolean not null,
        registered boolean not null,
        error text,
        last_beat_at timestamptz,
        registered_at timestamptz not null,
        updated_at timestamptz not null
      ) with (fillfactor = 80);

      create view read_models.agents as select * from read_models.agents_v1;
    `);
  },
};

const rests: Migration = {
  name: '0015-agents-rests',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.agents_v1 add column resting_until timestamptz, add column rest_reason text;
      create or replace view read_models.agents as select * from read_models.agents_v1;
    `);
  },
};

export const agentsMigrations: readonly Migration[] = [v1, rests];
