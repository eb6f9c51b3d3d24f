import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0054-comments-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.comments_v1 (
        id text primary key,
        revision integer not null,
        issue_id text not null,
        repository text,
        author text not null,
        body text not null,
        created_at timestamptz not null,
        edited_at timestamptz
      );

      create index comments_v1_issue on read_models.comments_v1 (issue_id, created_at, id);
      create index comments_v1_created on read_models.comments_v1 (created_at, id);
      create view read_models.comments as select * from read_models.comments_v1;
    `);
  },
};

export const commentsMigrations: readonly Migration[] = [v1];
