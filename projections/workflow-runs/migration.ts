import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0122-workflow-runs-v1',
  up: (knex) =>
    knex.raw(`
      create table read_models.workflow_runs_v1 (
        id text primary key,
        revision integer not null,
        workflow_id text not null,
        workflow text not null,
        version integer not null,
        repository text,
        state text not null,
        inputs jsonb not null,
        outputs jsonb,
        failure jsonb,
        reason text,
        not_undone text[] not null,
        started_by text not null,
        parent_run_id text,
        parent_step text,
        step_count integer not null,
        retries integer not null,
        started_at timestamptz not null,
        updated_at timestamptz not null,
        ended_at timestamptz
      );
      create index workflow_runs_v1_started on read_models.workflow_runs_v1 (started_at, id);
      create index workflow_runs_v1_workflow on read_models.workflow_runs_v1 (workflow_id, started_at);
      create index workflow_runs_v1_open on read_models.workflow_runs_v1 (state, started_at) where ended_at is null;
      create index workflow_runs_v1_parent on read_models.workflow_runs_v1 (parent_run_id) where parent_run_id is not null;
      create view read_models.workflow_runs as select * from read_models.workflow_runs_v1;
    `),
};

const stepsV1: Migration = {
  name: '0123-workflow-steps-v1',
  up: (knex) =>
    knex.raw(`
      create table read_models.workflow_steps_v1 (
        id text primary key,
        revision integer not null,
        run_id text not null,
        step text not null,
        state text not null,
        round integer not null,
        attempt integer not null,
        result jsonb,
        failure jsonb,
        waits_for text,
        started_at timestamptz not null,
        updated_at timestamptz not null
      );
      create index workflow_steps_v1_run on read_models.workflow_steps_v1 (run_id, started_at, id);
      create view read_models.workflow_steps as select * from read_models.workflow_steps_v1;
    `),
};

export const workflowRunsMigrations: readonly Migration[] = [v1];
export const workflowStepsMigrations: readonly Migration[] = [stepsV1];
