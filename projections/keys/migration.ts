import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0010-keys-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.keys_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        role text not null,
        agent_id text,
        created_at timestamptz not null,
        revoked_at timestamptz,
        reason text
      );

      create view read_models.keys as select * from read_models.keys_v1;
    `);
  },
};

export const keysMigrations: readonly Migration[] = [v1];
