import type { PoolClient } from 'pg';
import { snakeCase, type ReadModelRow } from '@workledger/shared/read-models/define.ts';
import type { Rows } from './fold-events.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** Writes the rows in one statement; those that are undefined now are removed. */
export async function saveRows(client: PoolClient, tables: Tables, { columns }: Projection, rows: Rows): Promise<void> {
  const names = columns.map((name) => [name, snakeCase(name)] as const);
  const written: Record<string, unknown>[] = [];
  const removed: string[] = [];
  for (const [id, row] of rows) {
    if (row === undefined) removed.push(id);
    else written.push(record(row, names));
  }
  if (removed.length > 0) await client.query(`delete from ${tables.rows} where id = any($1)`, [removed]);
  if (written.length > 0)
    await client.query(
      upsertSql(
        tables.rows,
        names.map(([, column]) => column),
      ),
      [JSON.stringify(written)],
    );
}

const record = (row: ReadModelRow, names: readonly (readonly [string, string])[]): Record<string, unknown> => {
  const fields = row as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.map(([name, column]) => [column, fields[name]]));
};

const upsertSql = (table: string, columns: readonly string[]): string => `
insert into ${table} (${columns.map(quoted).join(', ')})
select ${columns.map(quoted).join(', ')} from json_populate_recordset(null::${table}, $1::json)
on conflict (id) do update set ${columns
  .filter((column) => column !== 'id')
  .map((column) => `${quoted(column)} = excluded.${quoted(column)}`)
  .join(', ')}`;

const quoted = (column: string): string => `"${column}"`;
