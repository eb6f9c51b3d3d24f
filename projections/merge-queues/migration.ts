import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0016-merge-queues-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.merge_queues_v1 (
        id text primary key,
        revision integer not null,
        task_id text not null,
        queue_id text not null,
        repository text not null,
        base_branch text,
        state text not null,
        reason text,
        queued_at timestamptz not null,
        turn_began_at timestamptz,
        ended_at timestamptz
      );

      create index merge_queues_v1_task on read_models.merge_queues_v1 (task_id);
      create index merge_queues_v1_queued on read_models.merge_queues_v1 (queued_at, id);
      create index merge_queues_v1_waiting on read_models.merge_queues_v1 (queued_at, id) where ended_at is null;
      create view read_models.merge_queues as select * from read_models.merge_queues_v1;
    `);
  },
};

export const mergeQueuesMigrations: readonly Migration[] = [v1];
