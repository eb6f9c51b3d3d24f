import type { Migration } from '@workledger/shared/migrations/migrate.ts';

const v1: Migration = {
  name: '0002-tasks-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.tasks_v1 (
        id text primary key,
        revision integer not null,
        state text not null,
        title text not null,
        description text not null,
        priority integer not null,
        labels text[] not null,
        metadata jsonb not null,
        capabilities text[] not null,
        repository text,
        parent_id text,
        subtasks text[] not null,
        source_kind text not null,
        source_reference text,
        source_url text,
        requester text,
        assignee text,
        complexity jsonb,
        claim_id text,
        agent_id text,
        runtime text,
        lease_seconds integer,
        claimed_at timestamptz,
        progress_note text,
        progress_percent double precision,
        submitted_commit text,
        attempts integer not null,
        sent_back integer not null,
        result jsonb,
        failure jsonb,
        reason text,
        created_at timestamptz not null,
        waiting_since timestamptz not null,
        updated_at timestamptz not null,
        finished_at timestamptz
      ) with (fillfactor = 80);

      create index tasks_v1_queue on read_models.tasks_v1 (priority, created_at) where state = 'pending';
      create index tasks_v1_created on read_models.tasks_v1 (created_at, id);
      create index tasks_v1_parent on read_models.tasks_v1 (parent_id) where parent_id is not null;
      create view read_models.tasks as select * from read_models.tasks_v1;
    `);
  },
};

/** What is asked of the open ones: the queue in its order, and the claims whose leases run. */
const openIndexes: Migration = {
  name: '0014-open-tasks',
  up: async (knex) => {
    await knex.raw(`
      drop index if exists read_models.tasks_v1_queue;
      -- a hash, since fifty capabilities may be more than an index takes
      create index tasks_v1_queue on read_models.tasks_v1
        (hash_array_extended(capabilities, 0), (repository is null), priority, waiting_since, created_at, id)
        where state = 'pending' and subtasks = '{}';
      create index tasks_v1_claimed on read_models.tasks_v1 (claim_id) where state = 'in-progress';
    `);
  },
};

/** The queue of one repository: where only some may be worked on, the others' tasks are not passed by one by one. */
const repositoryIndex: Migration = {
  name: '0032-open-tasks-of-a-repository',
  up: async (knex) => {
    await knex.raw(`
      create index tasks_v1_repository_queue on read_models.tasks_v1
        (hash_array_extended(capabilities, 0), repository, priority, waiting_since, created_at, id)
        where state = 'pending' and subtasks = '{}';
    `);
  },
};

/** The view names its columns when it is made: it is made again. */
const pullRequest: Migration = {
  name: '0091-tasks-pull-request',
  up: async (knex) => {
    await knex.raw(`
      alter table read_models.tasks_v1 add column pull_request jsonb;
      create or replace view read_models.tasks as select * from read_models.tasks_v1;
    `);
  },
};

/** Of what is over the latest, from which the next ones are estimated. */
const finishedIndex: Migration = {
  name: '0126-finished-tasks',
  up: async (knex) => {
    await knex.raw(`
      create index tasks_v1_finished on read_models.tasks_v1 (coalesce(repository, ''), finished_at)
        where state = 'complete' or state = 'failed';
    `);
  },
};

export const tasksMigrations: readonly Migration[] = [v1, openIndexes, repositoryIndex, pullRequest, finishedIndex];
