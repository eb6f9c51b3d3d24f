import type { Pool } from 'pg';
import type { ReadModel } from '../contexts/define-row.ts';

/** Rejects while a table of these read models is missing: projections make them when they first start. */
export async function checkReadable(pool: Pool, models: readonly Pick<ReadModel, 'table'>[]): Promise<void> {
  for (const { table } of models) await pool.query(`select from read_models.${table} limit 0`);
}
