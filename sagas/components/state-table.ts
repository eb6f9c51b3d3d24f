import { hostname } from 'node:os';
import type { Pool } from 'pg';
import type { Migration } from '@workledger/shared/migrations/migrate.ts';
import type { Seen } from './state.ts';

/** How each process saw systems, models, plugins and components last. */
export const componentsTable: Migration = {
  name: '0130-components',
  up: (knex) =>
    knex.raw(`
      create table sagas.components (
        name text not null,
        process text not null,
        kind text not null,
        state text not null,
        reason text,
        since timestamptz not null,
        seen_at timestamptz not null,
        primary key (name, process)
      );
    `),
};

/** What was seen by a process that has long been gone says nothing any more. */
const KEPT_SECONDS = 3_600;
const LONGEST_REASON = 500;

const RECORD = `
  insert into sagas.components as known (process, name, kind, state, reason, since, seen_at)
  select $1, seen.*, clock_timestamp(), clock_timestamp()
  from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as seen
  on conflict (name, process) do update set kind = excluded.kind, state = excluded.state, reason = excluded.reason,
    since = case when known.state = excluded.state then known.since else excluded.since end, seen_at = excluded.seen_at`;

const TIDY = `
  delete from sagas.components
  where seen_at < clock_timestamp() - make_interval(secs => ${KEPT_SECONDS}) or process = $1 and name <> all ($2::text[])`;

/** Keeps what a process sees; what it does not see any more is forgotten. @param process default: this one */
export async function recordSeen(pool: Pool, seen: readonly Seen[], process: string = thisProcess): Promise<void> {
  const names = seen.map(({ name }) => name);
  const reasons = seen.map(({ reason }) => reason?.slice(0, LONGEST_REASON).toWellFormed() ?? null);
  const states = seen.map(({ state }) => state);
  const kinds = seen.map(({ kind }) => kind);
  await pool.query(RECORD, [process, names, kinds, states, reasons]);
  await pool.query(TIDY, [process, names]);
}

/** The same again where a container starts again: what it saw before is taken over. */
const thisProcess = `${hostname()}:${process.pid}`;
