import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Tables of the command service, for `migrate(url, 'command_service', commandServiceMigrations)`. */
export const commandServiceMigrations: readonly Migration[] = [
  {
    name: '0001-heartbeats',
    up: async (knex) => {
      await knex.raw('create schema if not exists command_service');
      await knex.raw(`
        create table command_service.heartbeats (
          subject text primary key,
          beat_at timestamptz not null
        )`);
      await knex.raw('create index heartbeats_beat_at on command_service.heartbeats (beat_at)');
    },
  },
];
