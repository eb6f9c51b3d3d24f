import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0043-users-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.users_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        email text,
        role text not null,
        state text not null,
        teams text[] not null,
        suspended_reason text,
        created_at timestamptz not null,
        updated_at timestamptz not null
      );
      create index users_v1_teams on read_models.users_v1 using gin (teams);

      create view read_models.users as select * from read_models.users_v1;
    `);
  },
};

export const usersMigrations: readonly Migration[] = [v1];
