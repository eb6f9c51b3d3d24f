import type { Migration, SqlSchema } from '../../migrations/migrate.ts';

const sql = `
create schema artefacts;

create table artefacts.artefacts (
  digest     text        collate "C" not null primary key check (digest ~ '^[0-9a-f]{64}$'),
  media_type text        not null,
  bytes      bytea       not null,
  stored_at  timestamptz not null default now()
);
`;

/** A part of what is stored uncompressed is read alone; of what is compressed, all before it has to be unpacked each time. */
const storeUncompressed = 'alter table artefacts.artefacts alter column bytes set storage external';

export const artefactMigrations: readonly Migration[] = [
  { name: '0001-create-artefacts', up: async (knex) => void (await knex.raw(sql)) },
  { name: '0002-store-uncompressed', up: async (knex) => void (await knex.raw(storeUncompressed)) },
];

export const artefactTables: SqlSchema = { name: 'artefacts', migrations: artefactMigrations };
