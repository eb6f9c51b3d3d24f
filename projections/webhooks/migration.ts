import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0093-webhooks-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.webhooks_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        event_types text[] not null,
        repositories text[],
        reach text not null,
        made_by text not null,
        status text not null,
        reason text,
        old_secret_until timestamptz,
        created_at timestamptz not null,
        status_since timestamptz not null
      );

      create index webhooks_v1_created on read_models.webhooks_v1 (created_at, id);
      create view read_models.webhooks as select * from read_models.webhooks_v1;
    `);
  },
};

export const webhooksMigrations: readonly Migration[] = [v1];
