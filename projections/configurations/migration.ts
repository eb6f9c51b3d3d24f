import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0145-configurations-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.configurations_v1 (
        id text primary key,
        revision integer not null,
        environment text not null,
        content jsonb not null,
        since jsonb not null,
        changed_by text not null,
        changed_at timestamptz not null
      );
      create view read_models.configurations as select * from read_models.configurations_v1;

      create table read_models.configuration_revisions_v1 (
        id text primary key,
        revision integer not null,
        environment text not null,
        changes jsonb not null,
        content jsonb not null,
        reason text not null,
        changed_by text not null,
        rolled_back_to integer,
        changed_at timestamptz not null
      );
      create index configuration_revisions_v1_newest on read_models.configuration_revisions_v1 (environment, changed_at, id);
      create view read_models.configuration_revisions as select * from read_models.configuration_revisions_v1;
    `);
  },
};

export const configurationsMigrations: readonly Migration[] = [v1];
