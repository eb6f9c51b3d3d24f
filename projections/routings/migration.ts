import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0125-routings-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.routings_v1 (
        id text primary key,
        revision integer not null,
        task_type text not null,
        complexity text not null,
        preferred_model text,
        repository text,
        model text not null,
        confidence double precision not null,
        reason text not null,
        estimated_cost_usd double precision not null,
        candidates jsonb not null,
        routed_by text not null,
        succeeded boolean,
        cost_usd double precision,
        routed_at timestamptz not null,
        reported_at timestamptz
      );

      create index routings_v1_routed on read_models.routings_v1 (routed_at, id);
      -- what models are chosen by
      create index routings_v1_reported on read_models.routings_v1 (complexity, reported_at) where reported_at is not null;
      create view read_models.routings as select * from read_models.routings_v1;
    `);
  },
};

export const routingsMigrations: readonly Migration[] = [v1];
