import type { Pool } from 'pg';
import type { Snapshot, SnapshotStore } from '@workledger/shared/aggregate/snapshots.ts';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Snapshots of long streams, in a table beside the log: it may be emptied at any time. */
export const createPostgresSnapshots = (pool: Pool): SnapshotStore => ({
  read: async (stream) => {
    const { rows } = await pool.query<Snapshot>(
      `select stream, version, revision, event_id as "eventId", body, digest
       from command_service.snapshots where stream = $1`,
      [stream],
    );
    return rows[0] ?? null;
  },
  write: async ({ stream, version, revision, eventId, body, digest }) => {
    await pool.query(
      `insert into command_service.snapshots (stream, version, revision, event_id, body, digest, taken_at)
       values ($1, $2, $3, $4, $5, $6, clock_timestamp())
       on conflict (stream) do update set version = excluded.version, revision = excluded.revision,
         event_id = excluded.event_id, body = excluded.body, digest = excluded.digest, taken_at = excluded.taken_at`,
      [stream, version, revision, eventId, body, digest],
    );
  },
});

/** `body` is stored as it comes: most of it is base64, which does not compress. */
export const snapshotTables: Migration = {
  name: '0002-snapshots',
  up: async (knex) => {
    await knex.raw(`
      create table command_service.snapshots (
        stream   text collate "C" primary key,
        version  integer     not null,
        revision integer     not null,
        event_id uuid        not null,
        body     text        not null,
        digest   text        not null,
        taken_at timestamptz not null
      )`);
    await knex.raw('alter table command_service.snapshots alter column body set storage external');
  },
};
