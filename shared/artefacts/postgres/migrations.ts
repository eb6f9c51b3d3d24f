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

export const artefactMigrations: readonly Migration[] = [
  { name: '0001-create-artefacts', up: async (knex) => void (await knex.raw(sql)) },
];

export const artefactTables: SqlSchema = { name: 'artefacts', migrations: artefactMigrations };
