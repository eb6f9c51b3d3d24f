import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0007-validations-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.validations_v1 (
        id text primary key,
        revision integer not null,
        task_id text not null,
        run_id text not null,
        repository text not null,
        state text not null,
        commit text not null,
        base text not null,
        report jsonb,
        protected_changes text[] not null,
        failure jsonb,
        reason text,
        requested_at timestamptz not null,
        ended_at timestamptz
      );

      create index validations_v1_task on read_models.validations_v1 (task_id);
      create index validations_v1_requested on read_models.validations_v1 (requested_at, id);
      create view read_models.validations as select * from read_models.validations_v1;
    `);
  },
};

/** The view names its columns when it is made: it is made again. */
const checks: Migration = {
  name: '0094-validations-checks',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.validations_v1 add column checks jsonb not null default '[]';
      create or replace view read_models.validations as select * from read_models.validations_v1;
    `);
  },
};

export const validationsMigrations: readonly Migration[] = [v1, checks];
