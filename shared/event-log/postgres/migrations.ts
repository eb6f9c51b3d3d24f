import type { Migration } from '../../migrations/migrate.ts';

// json, not jsonb: exact bytes, and half as much work to write. Collation C: names are compared as bytes.
const eventsSql = `
create schema event_log;

create table event_log.events (
  position    bigint      not null primary key,
  stream      text        collate "C" not null,
  revision    integer     not null check (revision >= 0),
  id          uuid        not null,
  type        text        collate "C" not null,
  version     smallint    not null,
  data        json        not null,
  metadata    json        not null,
  recorded_at timestamptz not null,
  constraint events_stream_revision unique (stream, revision)
);

create table event_log.head (
  only_row boolean primary key default true check (only_row),
  position bigint  not null
) with (fillfactor = 10);
insert into event_log.head (position) values (0);

create function event_log.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'events are never changed or removed: % refused', tg_op;
end $$;

create trigger events_are_final before update or delete or truncate on event_log.events
  for each statement execute function event_log.refuse_change();
`;

const createEvents: Migration = { name: '0001-create-events', up: async (knex) => void (await knex.raw(eventsSql)) };

/**
 * Many appends in one transaction, each to a stream of its own. Texts come as one value a column, a line each: neither names
 * nor JSON hold a raw line break, and nothing needs escaping. Takes the counter's lock first, in a statement of its own, so that
 * the head check sees what the lock waited for; then keeps the appends whose stream is at the expected revision (-1: none).
 * Answers the position before the first event written, and the numbers (from 1) of the refused appends.
 */
const appendBatch = (takeLock: string, moveHead: string): string => `
create or replace function event_log.append_batch(
  streams text, expected integer[],
  event_append integer[], event_revision integer[], event_id text, event_type text, event_version smallint[],
  event_data text, event_metadata text,
  out before bigint, out refused integer[]
) language plpgsql volatile as $$
declare
  stream_of text[] := string_to_array(streams, e'\\n');
begin
  ${takeLock}

  refused := array(
    select append.number
    from unnest(stream_of, expected) with ordinality as append(stream, expected, number)
    where append.expected <> coalesce(
      (select revision from event_log.events where events.stream = append.stream order by revision desc limit 1), -1));

  insert into event_log.events
  select before + row_number() over (order by event.number), stream_of[event.append], event.revision, event.id::uuid,
    event.type, event.version, event.data::json, event.metadata::json, clock.now
  from unnest(event_append, event_revision, string_to_array(event_id, e'\\n'), string_to_array(event_type, e'\\n'),
      event_version, string_to_array(event_data, e'\\n'), string_to_array(event_metadata, e'\\n'))
    with ordinality as event(append, revision, id, type, version, data, metadata, number),
    (select clock_timestamp() as now) as clock
  where event.append <> all (refused);
  ${moveHead}
end $$;
`;

const createAppendBatch: Migration = {
  name: '0002-create-append-batch',
  up: async (knex) =>
    void (await knex.raw(
      appendBatch(
        'select position into before from event_log.head for update;',
        `declare written bigint; begin
    get diagnostics written = row_count;
    if written > 0 then update event_log.head set position = before + written; end if;
  end;`,
      ),
    )),
};

/**
 * The head was a row that every append moved: under an old snapshot (a dump, an idle transaction) none of its dead versions can
 * go, and every append walks over all of them. Now it is what the last event says, under a lock that leaves nothing behind.
 * `lock_head` looks in a statement of its own, so that it sees what the lock waited for. `head` stays for whoever reads it, or
 * moves it as appends did before this migration.
 */
const headFromEventsSql = `
drop table event_log.head;

create function event_log.lock_head() returns bigint language plpgsql volatile as $$
begin
  perform pg_advisory_xact_lock('event_log.events'::regclass::bigint);
  return coalesce((select position from event_log.events order by position desc limit 1), 0);
end $$;

create view event_log.head as
  select coalesce((select position from event_log.events order by position desc limit 1), 0) as position;

create function event_log.move_head() returns trigger language plpgsql as $$
begin
  new.position := event_log.lock_head() + (new.position - old.position);
  return new;
end $$;
create trigger head_is_locked instead of update on event_log.head
  for each row execute function event_log.move_head();
`;

const headFromEvents: Migration = {
  name: '0003-head-from-events',
  up: async (knex) => void (await knex.raw(headFromEventsSql + appendBatch('before := event_log.lock_head();', ''))),
};

export const eventLogMigrations: readonly Migration[] = [createEvents, createAppendBatch, headFromEvents];
