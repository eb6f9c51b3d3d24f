import type { Pool } from 'pg';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** Where each partition stands, keyed `topic/partition`; empty before the first start. */
export async function storedProgress(
  pool: Pool,
  tables: Tables,
  { name, version }: Projection,
): Promise<Map<string, bigint>> {
  const { rows } = await pool.query<{ place: string; next_offset: string }>(
    `select topic || '/' || partition as place, next_offset from ${tables.progress} where projection = $1 and version = $2`,
    [name, version],
  );
  return new Map(rows.map(({ place, next_offset }) => [place, BigInt(next_offset)]));
}
