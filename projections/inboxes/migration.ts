import type { Migration } from '@workledger/shared/migrations/migrate.ts';

export const inboxesTable: Migration = {
  name: '0065-inboxes-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.inboxes_v1 (
        id text primary key,
        revision integer not null,
        participant text not null,
        topics jsonb not null,
        marks jsonb not null
      ) with (fillfactor = 80);

      create view read_models.inboxes as select * from read_models.inboxes_v1;
    `);
  },
};

export const receiptsTable: Migration = {
  name: '0066-receipts-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.receipts_v1 (
        id text primary key,
        revision integer not null,
        participant text not null,
        message_id text not null,
        delivered_at timestamptz not null,
        read_at timestamptz
      );

      create index receipts_v1_message on read_models.receipts_v1 (message_id, delivered_at, id);
      create view read_models.receipts as select * from read_models.receipts_v1;
    `);
  },
};
