import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0083-questions-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.questions_v1 (
        id text primary key,
        revision integer not null,
        state text not null,
        task_id text,
        run_id text,
        repository text,
        asked_by text not null,
        askee_kind text not null,
        askee text not null,
        escalated_to text,
        text text not null,
        choices text[] not null,
        approval_of text,
        deadline timestamptz,
        on_deadline text,
        default_answer text,
        choice text,
        words text,
        answered_by text,
        via text,
        reason text,
        asked_at timestamptz not null,
        ended_at timestamptz
      );

      create index questions_v1_asked on read_models.questions_v1 (asked_at, id);
      create index questions_v1_task on read_models.questions_v1 (task_id, asked_at) where task_id is not null;
      create index questions_v1_askee on read_models.questions_v1 (askee_kind, askee) where state = 'open';
      create view read_models.questions as select * from read_models.questions_v1;
    `);
  },
};

export const questionsMigrations: readonly Migration[] = [v1];
