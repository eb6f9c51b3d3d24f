import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0140-documents-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.documents_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        repository text,
        strategy text not null,
        fields jsonb not null,
        sources jsonb not null,
        body jsonb not null,
        digest text not null,
        open_conflicts integer not null,
        conflicts jsonb not null,
        created_by text not null,
        created_at timestamptz not null,
        changed_by text not null,
        changed_at timestamptz not null
      );

      create index documents_v1_changed on read_models.documents_v1 (changed_at, id);
      create index documents_v1_conflicts on read_models.documents_v1 (changed_at, id) where open_conflicts > 0;
      create view read_models.documents as select * from read_models.documents_v1;
    `);
  },
};

export const documentsMigrations: readonly Migration[] = [v1];
