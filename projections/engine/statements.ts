import { createHash } from 'node:crypto';
import { selectList, snakeCase } from '@workledger/shared/contexts/define-row.ts';
import type { Target } from './projection.ts';

/** A statement that each connection parses and plans once: as pg takes it, without its values. */
type Statement = { readonly name: string; readonly text: string };

/** A read model that a stretch changes. */
export type Changed = { readonly target: Target; readonly removes: boolean };

const loads = new WeakMap<Target, Statement>();
const saves = new Map<string, Statement>();

/** Reads the progress row with the state of each wanted (stream, row id); nothing when the progress is not where the stretch begins. */
export function loadStatement(target: Target): Statement {
  const kept = loads.get(target) ?? statement(loadSql(target));
  loads.set(target, kept);
  return kept;
}

/** Moves the progress of all read models of a stretch, and writes what it changes in some; of the latter there are few combinations. */
export function saveStatement(progress: string, streams: string, changed: readonly Changed[]): Statement {
  const key = [progress, ...changed.map(({ target, removes }) => `${target.rows} ${removes}`)].join();
  const kept = saves.get(key) ?? statement(saveSql(progress, streams, changed));
  saves.set(key, kept);
  return kept;
}

const statement = (text: string): Statement => ({
  name: `projection-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
  text,
});

/** Laterals, so that a plan made while the tables were empty never turns into a scan of the whole. */
const loadSql = ({ projection, rows, progress, streams }: Target): string => `
select p.xmin::text, w.stream, s.revision, s.event_id, s.reason, s.parked_revision, s.parked_event_id,
  ${selectList(projection.columns, 'r')}
from ${progress} p
cross join unnest($6::text[], $7::text[]) as w (stream, id)
left join lateral (
  select * from ${streams} where projection = $1 and version = $2 and stream = w.stream limit 1
) s on true
left join lateral (select * from ${rows} where id = w.id limit 1) r on true
where p.projection = $1 and p.version = $2 and p.topic = $3 and p.partition = $4 and p.next_offset = $5`;

/**
 * It need not be on disk when it is answered: what a crash of PostgreSQL takes away goes away whole, progress included, and
 * comes again. Whoever saw it may miss it until then; its consistency token waits again.
 */
const NOT_YET_ON_DISK = `set_config('synchronous_commit', 'off', true)`;

/**
 * Moves the progress rows of all read models ($5, $6) from the stretch's start to its end, or none; only with them writes rows and
 * continuity: all in one statement, so that no lock is held while a worker thinks, and a worker that stands still stops nobody. Where
 * something was read, the progress row must be the very one of then ($7). No line: some stand elsewhere, so whoever asks is stale.
 */
const saveSql = (progress: string, streams: string, changed: readonly Changed[]): string => {
  let parameter = 17;
  const changes = changed.map((change) => {
    const own = changeSql(change, parameter);
    parameter += change.removes ? 2 : 1;
    return own;
  });
  return `
with held as (
  select p.projection, p.version from ${progress} p
  join unnest($5::text[], $6::integer[], $7::text[]) as w (projection, version, seen)
    on w.projection = p.projection and w.version = p.version
  where p.topic = $1 and p.partition = $2 and p.next_offset = $3 and (w.seen is null or p.xmin = w.seen::xid)
  order by p.projection, p.version
  for update of p
),
moved as (
  update ${progress} p
  set next_offset = $4, position = case when p.position is not null then greatest(p.position, $8::bigint) end
  from held h
  where (select count(*) from held) = cardinality($5::text[])
    and p.projection = h.projection and p.version = h.version and p.topic = $1 and p.partition = $2
  returning ${NOT_YET_ON_DISK}
),
${changed.length === 0 ? '' : continuitySql(streams)}${changes.join('')}
done as (select from moved having count(*) > 0)
select from done`;
};

const continuitySql = (streams: string): string => `
known as (
  insert into ${streams}
    (projection, version, stream, revision, event_id, parked_at, reason, parked_revision, parked_event_id)
  select projection, version, stream, revision, event_id, case when reason is not null then clock_timestamp() end, reason,
    parked_revision, parked_event_id
  from (select from moved limit 1) as done,
    unnest($9::text[], $10::integer[], $11::text[], $12::integer[], $13::uuid[], $14::text[], $15::integer[], $16::uuid[])
    as u (projection, version, stream, revision, event_id, reason, parked_revision, parked_event_id)
  on conflict (projection, version, stream) do update set revision = excluded.revision, event_id = excluded.event_id,
    parked_at = excluded.parked_at, reason = excluded.reason, parked_revision = excluded.parked_revision,
    parked_event_id = excluded.parked_event_id
),`;

/** @param parameter the number of its value: the rows as JSON; and of the next one, if it removes some: their ids */
const changeSql = ({ target: { projection, rows }, removes }: Changed, parameter: number): string => {
  const columns = projection.columns.map(snakeCase);
  return `
written_${parameter} as (
  insert into ${rows} (${columns.map(quoted).join(', ')})
  select ${columns.map((column) => `u.${quoted(column)}`).join(', ')}
  from (select from moved limit 1) as done, json_populate_recordset(null::${rows}, $${parameter}::json) u
  on conflict (id) do update set ${columns
    .filter((column) => column !== 'id')
    .map((column) => `${quoted(column)} = excluded.${quoted(column)}`)
    .join(', ')}
),${
    removes
      ? `
removed_${parameter} as (
  delete from ${rows} r using (select from moved limit 1) as done where r.id = any($${parameter + 1}::text[])
),`
      : ''
  }`;
};

const quoted = (column: string): string => `"${column}"`;
