import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0120-workflows-v1',
  up: (knex) =>
    knex.raw(`
      create table read_models.workflows_v1 (
        id text primary key,
        revision integer not null,
        name text not null,
        description text,
        repository text,
        version integer not null,
        steps integer not null,
        state text not null,
        defined_by text not null,
        created_at timestamptz not null,
        changed_at timestamptz not null
      );
      create index workflows_v1_created on read_models.workflows_v1 (created_at, id);
      create index workflows_v1_name on read_models.workflows_v1 (name, id);
      create view read_models.workflows as select * from read_models.workflows_v1;
    `),
};

const versionsV1: Migration = {
  name: '0121-workflow-versions-v1',
  up: (knex) =>
    knex.raw(`
      create table read_models.workflow_versions_v1 (
        id text primary key,
        revision integer not null,
        workflow_id text not null,
        version integer not null,
        definition jsonb not null,
        defined_by text not null,
        defined_at timestamptz not null
      );
      create index workflow_versions_v1_of on read_models.workflow_versions_v1 (workflow_id, version);
      create view read_models.workflow_versions as select * from read_models.workflow_versions_v1;
    `),
};

export const workflowsMigrations: readonly Migration[] = [v1];
export const workflowVersionsMigrations: readonly Migration[] = [versionsV1];
