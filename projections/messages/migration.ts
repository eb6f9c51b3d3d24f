import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0064-messages-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.messages_v1 (
        id text primary key,
        revision integer not null,
        position bigint not null,
        sender text not null,
        address text not null,
        message_type text,
        type_number integer,
        subject text not null,
        body text not null,
        content text,
        repository text,
        task_id text,
        reply_to text,
        sent_at timestamptz not null,
        delivered_at timestamptz,
        read_at timestamptz
      ) with (fillfactor = 90);

      create index messages_v1_address on read_models.messages_v1 (address, position);
      create index messages_v1_sender on read_models.messages_v1 (sender, sent_at, id);
      create index messages_v1_sent on read_models.messages_v1 (sent_at, id);
      create index messages_v1_task on read_models.messages_v1 (task_id) where task_id is not null;
      create view read_models.messages as select * from read_models.messages_v1;
    `);
  },
};

export const messagesMigrations: readonly Migration[] = [v1];
