import type { Migration } from '@workledger/shared/migrations/migrate.ts';

export const dispatchesTable: Migration = {
  name: '0150-dispatches-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.dispatches_v1 (
        id text primary key,
        revision integer not null,
        position bigint not null,
        sender text not null,
        source_service text,
        guarantee text not null,
        type text not null,
        version integer not null,
        type_number integer,
        payload text not null,
        digest text not null,
        repository text,
        correlation_id text not null,
        sent_at timestamptz not null,
        expires_at timestamptz not null
      ) with (fillfactor = 90);

      create index dispatches_v1_expires on read_models.dispatches_v1 (expires_at);
      create view read_models.dispatches as select * from read_models.dispatches_v1;
    `);
  },
};

export const dispatchDeliveriesTable: Migration = {
  name: '0151-dispatch-deliveries-v1',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.dispatch_deliveries_v1 (
        id text primary key,
        revision integer not null,
        dispatch_id text not null,
        sender text not null,
        target text not null,
        type text not null,
        guarantee text not null,
        repository text,
        correlation_id text not null,
        state text not null,
        handings integer not null,
        held_by text,
        dispatched_at timestamptz not null,
        handed_at timestamptz,
        visible_at timestamptz,
        expires_at timestamptz not null,
        settled_at timestamptz,
        reason text,
        acknowledged_by text,
        received_digest text,
        proof_event_id text,
        proof_revision integer,
        proof_position bigint
      ) with (fillfactor = 70);

      create index dispatch_deliveries_v1_dispatch on read_models.dispatch_deliveries_v1 (dispatch_id);
      create index dispatch_deliveries_v1_dispatched on read_models.dispatch_deliveries_v1 (dispatched_at, id);
      create index dispatch_deliveries_v1_sender on read_models.dispatch_deliveries_v1 (sender, dispatched_at, id);
      create index dispatch_deliveries_v1_target on read_models.dispatch_deliveries_v1 (target, dispatched_at, id);
      create index dispatch_deliveries_v1_expires on read_models.dispatch_deliveries_v1 (expires_at);
      -- what is handed out next, and what is to be given up
      create index dispatch_deliveries_v1_waiting on read_models.dispatch_deliveries_v1 (target, dispatched_at, id)
        where state = 'pending' or visible_at is not null;
      create index dispatch_deliveries_v1_open on read_models.dispatch_deliveries_v1 (expires_at)
        where state = 'pending' or visible_at is not null;
      create index dispatch_deliveries_v1_visible on read_models.dispatch_deliveries_v1 (visible_at) where visible_at is not null;
      create view read_models.dispatch_deliveries as select * from read_models.dispatch_deliveries_v1;
    `);
  },
};
