import type { PoolClient } from 'pg';
import { selectList, type ReadModelRow } from '@workledger/shared/read-models/define.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import type { Rows } from './fold-events.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** The rows with these ids, as far as there are any, in one query. */
export async function loadRows(
  client: PoolClient,
  tables: Tables,
  { columns }: Projection,
  ids: readonly string[],
): Promise<Rows> {
  if (ids.length === 0) return new Map();
  const rows = await selectRows<ReadModelRow>(
    client,
    `select ${selectList(columns)} from ${tables.rows} where id = any($1)`,
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row]));
}
