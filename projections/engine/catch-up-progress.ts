import type { Pool } from 'pg';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';
import { inTransaction } from './transaction.ts';

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
 * @returns false when another worker moved on meanwhile; nothing was written then
 */
export function finishCatchUp(
  pool: Pool,
  tables: Tables,
  { name, version }: Projection,
  reached: bigint,
  offsets: ReadonlyMap<string, bigint>,
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `delete from ${tables.progress}
       where projection = $1 and version = $2 and topic = $3 and partition = $4 and next_offset = $5`,
      [name, version, CATCHING_UP.topic, CATCHING_UP.partition, reached],
    );
    if (rowCount === 0) return false;
    await client.query(
      `insert into ${tables.progress} (projection, version, topic, partition, next_offset)
       select $1, $2, split_part(place, '/', 1), split_part(place, '/', 2)::integer, next_offset
       from unnest($3::text[], $4::bigint[]) as u (place, next_offset)`,
      [name, version, [...offsets.keys()], [...offsets.values()]],
    );
    return true;
  });
}
