import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** The engine's own tables: how far each partition came, and how far each stream. */
export const engineMigration: Migration = {
  name: '0001-engine',
  up: async (knex) => {
    await knex.raw(`
      create schema if not exists read_models;

      create table read_models.progress (
        projection text not null,
        version integer not null,
        -- a context of the bus, or "$log" while it catches up from the log
        topic text not null,
        partition integer not null,
        next_offset bigint not null,
        primary key (projection, version, topic, partition)
      );

      create table read_models.streams (
        projection text not null,
        version integer not null,
        stream text not null,
        -- of the last event applied; -1 and null: none yet
        revision integer not null,
        event_id uuid,
        parked_at timestamptz,
        reason text,
        parked_revision integer,
        parked_event_id uuid,
        primary key (projection, version, stream),
        check ((parked_at is null) = (reason is null))
      ) with (fillfactor = 80);

      create index streams_parked on read_models.streams (projection, version, parked_at) where parked_at is not null;
    `);
  },
};
