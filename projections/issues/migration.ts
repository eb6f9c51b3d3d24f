import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0053-issues-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.issues_v1 (
        id text primary key,
        revision integer not null,
        state text not null,
        title text not null,
        description text not null,
        priority text not null,
        urgency integer not null,
        labels text[] not null,
        capabilities text[] not null,
        repository text,
        reporter text not null,
        assignee text,
        assignment text not null,
        unassigned_reason text,
        offered_to text,
        offer_ends_at timestamptz,
        task_id text,
        task_ids text[] not null,
        resolution text,
        reason text,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        resolved_at timestamptz,
        closed_at timestamptz
      ) with (fillfactor = 80);

      create index issues_v1_created on read_models.issues_v1 (created_at, id);
      create index issues_v1_updated on read_models.issues_v1 (updated_at, id);
      create index issues_v1_urgency on read_models.issues_v1 (urgency, id) where state in ('open', 'in-progress');
      create index issues_v1_assignee on read_models.issues_v1 (assignee) where state in ('open', 'in-progress');
      create index issues_v1_offered_to on read_models.issues_v1 (offered_to) where offered_to is not null;
      create view read_models.issues as select * from read_models.issues_v1;
    `);
  },
};

export const issuesMigrations: readonly Migration[] = [v1];
