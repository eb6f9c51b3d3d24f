import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import { KEY_SECRET, subjectOfKey } from '@workledger/shared/security/secrets.ts';
import type { Pool } from 'pg';

/** Hashes of the secrets of users' keys, outside the log: what is there can be removed. */
export type Secrets = {
  /** Writes the hash, before there is an event that names it: killed in between, a row is left that opens nothing. */
  keep(keyId: string, secretId: string, hash: string): Promise<void>;
  /** Removes one that no event names. */
  drop(keyId: string, secretId: string): Promise<void>;
  /** Removes all that are there of a key. */
  dropAll(keyId: string): Promise<void>;
};

export const createSecrets = (pool: Pool): Secrets => ({
  keep: async (keyId, secretId, hash) => {
    await pool.query('insert into command_service.secrets (subject, kind, id, hash) values ($1, $2, $3, $4)', [
      ...[subjectOfKey(keyId), KEY_SECRET, secretId, hash],
    ]);
  },
  drop: async (keyId, secretId) => {
    await pool.query('delete from command_service.secrets where subject = $1 and kind = $2 and id = $3', [
      ...[subjectOfKey(keyId), KEY_SECRET, secretId],
    ]);
  },
  dropAll: async (keyId) => {
    await pool.query('delete from command_service.secrets where subject = $1', [subjectOfKey(keyId)]);
  },
});

export const secretsTable: Migration = {
  name: '0044-secrets',
  up: async (knex) => {
    await knex.raw(`
      create table command_service.secrets (
        subject    text not null,
        kind       text not null,
        id         text not null,
        hash       text not null,
        created_at timestamptz not null default clock_timestamp(),
        primary key (subject, kind, id)
      )`);
  },
};
