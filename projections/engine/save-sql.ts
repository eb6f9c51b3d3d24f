import { snakeCase } from '@workledger/shared/contexts/define-row.ts';
import type { Tables } from './tables.ts';

/**
 * It need not be on disk when it is answered: what a crash of PostgreSQL takes away goes away whole, progress included, and
 * comes again. Whoever saw it may miss it until then; its consistency token waits again.
 */
const NOT_YET_ON_DISK = `set_config('synchronous_commit', 'off', true)`;

const moveProgress = (tables: Tables): string => `
  update ${tables.progress} set next_offset = $6
  where projection = $1 and version = $2 and topic = $3 and partition = $4 and next_offset = $5`;

/** Moves the progress row from the stretch's start to its end. No row: it stands elsewhere, so whoever asks is stale. */
export const moveSql = (tables: Tables): string => `${moveProgress(tables)} returning ${NOT_YET_ON_DISK}`;

/**
 * Moves the progress row, and only with it writes rows and continuity: all in one statement, so that no lock is held while a
 * worker thinks, and a worker that stands still stops nobody. The progress row must be the very one that was read ($7).
 */
export const saveSql = (tables: Tables, columns: readonly string[], removes: boolean): string => `
with moved as (${moveProgress(tables)} and xmin = $7::xid returning ${NOT_YET_ON_DISK}),
streams as (
  insert into ${tables.streams}
    (projection, version, stream, revision, event_id, parked_at, reason, parked_revision, parked_event_id)
  select $1, $2, stream, revision, event_id, case when reason is not null then clock_timestamp() end, reason,
    parked_revision, parked_event_id
  from moved, unnest($8::text[], $9::integer[], $10::uuid[], $11::text[], $12::integer[], $13::uuid[])
    as u (stream, revision, event_id, reason, parked_revision, parked_event_id)
  on conflict (projection, version, stream) do update set revision = excluded.revision, event_id = excluded.event_id,
    parked_at = excluded.parked_at, reason = excluded.reason, parked_revision = excluded.parked_revision,
    parked_event_id = excluded.parked_event_id
),
${removes ? `removed as (delete from ${tables.rows} r using moved where r.id = any($15::text[])),` : ''}
written as (${upsert(tables.rows, columns.map(snakeCase))})
select from moved`;

const upsert = (table: string, columns: readonly string[]): string => `
  insert into ${table} (${columns.map(quoted).join(', ')})
  select ${columns.map((column) => `u.${quoted(column)}`).join(', ')}
  from moved, json_populate_recordset(null::${table}, $14::json) u
  on conflict (id) do update set ${columns
    .filter((column) => column !== 'id')
    .map((column) => `${quoted(column)} = excluded.${quoted(column)}`)
    .join(', ')}`;

const quoted = (column: string): string => `"${column}"`;
