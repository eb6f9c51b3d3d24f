import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Subscriptions as they are sent to, and deliveries: which event, what became of it; never what the event says. */
export const webhookDeliveriesTables: Migration = {
  name: '0093-webhook-deliveries',
  up: (knex) =>
    knex.raw(`
      create table sagas.webhooks (
        id text primary key,
        revision integer not null,
        status text not null,
        url text not null,
        event_types text[] not null,
        repositories text[],
        reach text not null,
        secret_id text not null,
        old_secret_id text,
        old_secret_until timestamptz,
        -- of the log: events after the one and before the other are sent; null: it goes on
        after_position bigint not null,
        until_position bigint,
        -- what is still to be read from the log, in (after, until]; until null: to its head
        catch_up_after bigint,
        catch_up_until bigint,
        failing_since timestamptz,
        failures integer not null default 0,
        rest_until timestamptz,
        breaker text not null default 'closed',
        last_at timestamptz,
        last_status integer,
        last_reason text
      );
      create table sagas.webhook_deliveries (
        webhook_id text not null,
        event_id text not null,
        id text not null,
        stream text not null,
        revision integer not null,
        position bigint not null,
        type text not null,
        status text not null default 'waiting',
        attempts integer not null default 0,
        created_at timestamptz not null default clock_timestamp(),
        next_at timestamptz default clock_timestamp(),
        last_at timestamptz,
        last_status integer,
        last_reason text,
        primary key (webhook_id, event_id)
      );
      create unique index webhook_deliveries_id on sagas.webhook_deliveries (id);
      create index webhook_deliveries_due on sagas.webhook_deliveries (webhook_id, next_at, position) where status = 'waiting';
      create index webhook_deliveries_listed on sagas.webhook_deliveries (webhook_id, position, id);
      create index webhook_deliveries_ended on sagas.webhook_deliveries (last_at) where status <> 'waiting';
    `),
};
