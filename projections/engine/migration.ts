import { redrivesTable } from '@workledger/shared/consumption/redrives.ts';
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

/** Positions beside offsets, so that of a partition that the bus lost the log tells only what is missing. */
export const positionsMigration: Migration = {
  name: '0012-positions',
  up: async (knex) => {
    // of the log: everything in the partition up to it was handled; null: not known
    await knex.raw('alter table read_models.progress add column position bigint');
  },
};

/** What tells the topics from others of the same name, and the log from another one. */
export const identitiesMigration: Migration = {
  name: '0011-identities',
  up: async (knex) => {
    await knex.raw(`
      create table read_models.topics (
        projection text not null,
        version integer not null,
        topic text not null,
        id text not null,
        primary key (projection, version, topic)
      );

      create table read_models.log (
        only_row boolean primary key default true check (only_row),
        first_event_id uuid not null
      );
    `);
  },
};

/** Parked streams that operators want to be tried again. */
export const redrivesMigration: Migration = {
  name: '0013-redrives',
  up: async (knex) => {
    await knex.raw(redrivesTable('read_models'));
  },
};
