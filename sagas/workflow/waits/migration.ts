import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Steps of runs that wait for an event. */
export const workflowWaitsTable: Migration = {
  name: '0124-workflow-waits',
  up: (knex) =>
    knex.raw(`
      create table sagas.workflow_waits (
        run_id text not null,
        step text not null,
        round integer not null,
        attempt integer not null,
        events text[] not null,
        of_id text,
        filters jsonb not null,
        repositories text[],
        -- of the log: events after it count
        after_position bigint not null,
        noted_at timestamptz not null default clock_timestamp(),
        -- up to there the log was read for it, and how often: twice, seconds apart
        read_to bigint,
        readings integer not null default 0,
        primary key (run_id, step, round, attempt)
      );
      create index workflow_waits_events on sagas.workflow_waits using gin (events);
      create index workflow_waits_behind on sagas.workflow_waits (noted_at) where readings < 2;
    `),
};
