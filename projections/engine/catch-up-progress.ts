import type { Pool } from 'pg';
import { GAP } from './fold-events.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** The place under which a projection keeps how far it came in the log itself, before it follows the bus. */
export const CATCHING_UP = { topic: '$log', partition: 0 } as const;
export const CATCHING_UP_KEY = `${CATCHING_UP.topic}/${CATCHING_UP.partition}`;

/** Marks the start of the log as reached, unless the projection has any progress already. */
export async function beginCatchUp(pool: Pool, tables: Tables, { name, version }: Projection): Promise<void> {
  await pool.query(
    `insert into ${tables.progress} (projection, version, topic, partition, next_offset)
     select $1, $2, $3, $4, 0
     where not exists (select from ${tables.progress} where projection = $1 and version = $2)
     on conflict do nothing`,
    [name, version, CATCHING_UP.topic, CATCHING_UP.partition],
  );
}

/**
 * Turns from the log to the bus: the catch-up's place gives way to one a partition.
 * @param topicIds of the topics that the offsets are about
 * @returns false when another worker moved on meanwhile; nothing was written then
 */
export async function finishCatchUp(
  pool: Pool,
  tables: Tables,
  { name, version }: Projection,
  reached: bigint,
  offsets: ReadonlyMap<string, bigint>,
  topicIds: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with done as (
       delete from ${tables.progress}
       where projection = $1 and version = $2 and topic = $3 and partition = $4 and next_offset = $5
       returning 1
     ),
     opened as (
       insert into ${tables.progress} (projection, version, topic, partition, next_offset)
       select $1, $2, split_part(place, '/', 1), split_part(place, '/', 2)::integer, next_offset
       from done, unnest($6::text[], $7::bigint[]) as u (place, next_offset)
     ),
     known as (
       insert into ${tables.topics} (projection, version, topic, id)
       select $1, $2, u.topic, u.id from done, unnest($8::text[], $9::text[]) as u (topic, id)
       on conflict (projection, version, topic) do update set id = excluded.id
     )
     select from done`,
    [
      ...[name, version, CATCHING_UP.topic, CATCHING_UP.partition, reached],
      ...[[...offsets.keys()], [...offsets.values()], [...topicIds.keys()], [...topicIds.values()]],
    ],
  );
  return rowCount === 1;
}

/**
 * Turns back from the bus to the start of the log, when the bus does not have what comes next. What is applied already will
 * be dropped by continuity; streams that were stopped by a gap go on, for the log has none.
 * @param known where the caller last saw the partitions stand; another worker may have moved on since
 * @param missing partitions that the caller found without any progress
 * @returns false when none of this holds any more: nothing was written
 */
export async function returnToLog(
  pool: Pool,
  tables: Tables,
  { name, version }: Projection,
  known: ReadonlyMap<string, bigint>,
  missing: readonly string[] = [],
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `with gone as (
       delete from ${tables.progress}
       where projection = $1 and version = $2 and topic <> $3 and (
         exists (
           select from ${tables.progress} p
           join unnest($5::text[], $6::bigint[]) as k (place, next_offset)
             on k.place = p.topic || '/' || p.partition and k.next_offset = p.next_offset
           where p.projection = $1 and p.version = $2
         )
         or exists (
           select from unnest($7::text[]) as m (place) where not exists (
             select from ${tables.progress} p
             where p.projection = $1 and p.version = $2 and m.place = p.topic || '/' || p.partition
           )
         )
       )
       returning 1
     ),
     freed as (
       update ${tables.streams} set parked_at = null, reason = null, parked_revision = null, parked_event_id = null
       where projection = $1 and version = $2 and reason like '${GAP}:%' and exists (select from gone)
     )
     insert into ${tables.progress} (projection, version, topic, partition, next_offset)
     select $1, $2, $3, $4, 0 where exists (select from gone)
     on conflict do nothing`,
    [name, version, CATCHING_UP.topic, CATCHING_UP.partition, [...known.keys()], [...known.values()], missing],
  );
  return rowCount === 1;
}
