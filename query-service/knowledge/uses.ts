import type { Pool } from 'pg';
import { readable } from '../reading/latest-progress.ts';

/** How often an entry was opened and cited, as it was told. */
export type Uses = { readonly opened: number; readonly cited: number };
export type UsesOf = (ids: readonly string[]) => Promise<ReadonlyMap<string, Uses>>;

export const NO_USES: Uses = { opened: 0, cited: 0 };

/** Counted in a table of command-service (`command-service/processes/knowledge.ts`); none while that is not there yet. */
export function createUsesOf(pool: Pool): UsesOf {
  const isThere = readable(pool, 'knowledge_usage');
  return async (ids) => {
    if (ids.length === 0 || !(await isThere())) return new Map();
    const { rows } = await pool.query<{ id: string; opened: string; cited: string }>(
      `select entry_id as id, opened, cited from command_service.knowledge_usage where entry_id = any ($1::uuid[])`,
      [ids],
    );
    return new Map(rows.map(({ id, opened, cited }) => [id, { opened: Number(opened), cited: Number(cited) }]));
  };
}
