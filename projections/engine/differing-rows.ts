import type { Pool } from 'pg';
import type { Projection } from './projection.ts';
import { tablesOf } from './tables.ts';

/** A row that is not the same in both schemas; null: missing there. */
export type DifferingRow = { readonly id: string; readonly live: unknown; readonly rebuilt: unknown };

/** Compares a rebuilt read model with the live one, row by row and column by column. @param limit at most so many */
export async function differingRows(
  pool: Pool,
  projection: Projection,
  schema: string,
  limit = 100,
): Promise<DifferingRow[]> {
  const { rows } = await pool.query<DifferingRow>(
    `select coalesce(l.id, r.id) as id, to_jsonb(l) as live, to_jsonb(r) as rebuilt
     from ${tablesOf(projection).rows} l full join ${tablesOf(projection, schema).rows} r on r.id = l.id
     where to_jsonb(l) is distinct from to_jsonb(r)
     order by 1 limit $1`,
    [limit],
  );
  return rows;
}
