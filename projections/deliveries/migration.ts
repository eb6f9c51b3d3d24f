import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0009-deliveries-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.deliveries_v1 (
        id text primary key,
        revision integer not null,
        provider text not null,
        delivery_id text not null,
        event text not null,
        action text,
        repository text,
        sender text,
        body jsonb not null,
        outcome text not null,
        rule text,
        intent text,
        task_id text,
        reason text,
        received_at timestamptz not null
      );

      create index deliveries_v1_received on read_models.deliveries_v1 (received_at, id);
      create index deliveries_v1_task on read_models.deliveries_v1 (task_id) where task_id is not null;
      create view read_models.deliveries as select * from read_models.deliveries_v1;
    `);
  },
};

export const deliveriesMigrations: readonly Migration[] = [v1];
