import type { Migration } from '@workledger/shared/migrations/migrate.ts';

/** Table of the relay, for `migrate(url, 'relay', relayMigrations)`. */
export const relayMigrations: readonly Migration[] = [
  {
    name: '0001-leader',
    up: async (knex) => {
      // Room on the page: the row is renewed every second and moved with every batch.
      await knex.raw(`
        create schema relay;

        create table relay.leader (
          only_row   boolean     primary key default true check (only_row),
          epoch      bigint      not null,
          owner      text        not null,
          expires_at timestamptz not null,
          checkpoint bigint      not null check (checkpoint >= 0)
        ) with (fillfactor = 10);

        insert into relay.leader (epoch, owner, expires_at, checkpoint) values (0, 'nobody', '-infinity', 0)`);
    },
  },
  {
    name: '0002-identities',
    up: async (knex) => {
      // Which log, and which topics, the checkpoint is about.
      await knex.raw(`
        alter table relay.leader add column first_event_id uuid;
        create table relay.topics (topic text primary key, id text not null)`);
    },
  },
  {
    name: '0003-last-event',
    up: async (knex) => {
      // That was published up to the checkpoint: { id, stream, revision, position }; null: not known yet.
      await knex.raw('alter table relay.leader add column last_event jsonb');
    },
  },
];
