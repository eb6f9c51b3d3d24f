import type { Pool } from 'pg';
import { snakeCase, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import type { Folded } from './fold-events.ts';
import type { Projection } from './projection.ts';
import { statementsOf } from './statements.ts';
import type { Stretch } from './stretch.ts';
import type { Tables } from './tables.ts';

/**
 * Writes rows, continuity and progress in one statement: all or nothing.
 * @param seen the progress row on which the folding was based
 * @returns false when it is another one now: whoever asks is stale, nothing was written
 */
export async function saveState(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  stretch: Stretch,
  seen: string,
  { streams, rows }: Pick<Folded, 'streams' | 'rows'>,
): Promise<boolean> {
  if (streams.size === 0) return moveOnly(pool, tables, projection, stretch);
  const { name, version, columns } = projection;
  const { topic, partition, from, next } = stretch;
  const states = [...streams.values()];
  const written: string[] = [];
  const removed: string[] = [];
  const names = columns.map((column) => [column, snakeCase(column)] as const);
  for (const [id, row] of rows) {
    if (row === undefined) removed.push(id);
    else written.push(JSON.stringify(record(row, names)));
  }
  const { save, saveAndRemove } = statementsOf(tables, projection);
  const { rowCount } = await pool.query({
    ...(removed.length > 0 ? saveAndRemove : save),
    values: [
      ...[name, version, topic, partition, from, next, seen],
      [...streams.keys()],
      states.map(({ revision }) => revision),
      states.map(({ eventId }) => eventId),
      states.map(({ parked }) => parked?.reason ?? null),
      states.map(({ parked }) => parked?.revision ?? null),
      states.map(({ parked }) => parked?.eventId ?? null),
      `[${written.join(',')}]`,
      ...(removed.length > 0 ? [removed] : []),
    ],
  });
  return rowCount === 1;
}

/** Moves the progress over a stretch that changes nothing. @returns false when it stands elsewhere */
export async function moveOnly(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  { topic, partition, from, next }: Stretch,
): Promise<boolean> {
  const { name, version } = projection;
  const { rowCount } = await pool.query({
    ...statementsOf(tables, projection).move,
    values: [name, version, topic, partition, from, next],
  });
  return rowCount === 1;
}

const record = (row: ReadModelRow, names: readonly (readonly [string, string])[]): Record<string, unknown> => {
  const fields = row as Readonly<Record<string, unknown>>;
  const own: Record<string, unknown> = {};
  for (const [name, column] of names) own[column] = fields[name];
  return own;
};
