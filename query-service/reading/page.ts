import knex, { type Knex } from 'knex';
import type { Pool } from 'pg';
import { z } from 'zod';
import { snakeCase, type ReadModel, type ReadModelRow } from '@workledger/shared/contexts/define-row.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { atMost } from './query-route.ts';

/** Only writes SQL; it has no connection. */
const sql = knex({ client: 'pg' });

/** A column that a list can be in the order of, never null. */
export type Sort<Row> = { readonly column: keyof Row & string; readonly type: 'timestamptz' | 'integer' | 'text' };

export type ListDefinition<Row extends ReadModelRow, Computed extends object = object> = {
  readonly model: ReadModel<Row>;
  /** Too large for a list: left to the resource itself. */
  readonly without?: readonly (keyof Row & string)[];
  /** SQL expressions over the row `t`. */
  readonly computed?: Readonly<Record<keyof Computed & string, string>>;
  readonly sorts: Readonly<Record<string, Sort<Row>>>;
};

type PageRequest = { readonly sort: string; readonly cursor?: string | undefined; readonly limit: number };
type Page<Row> = { readonly items: readonly Row[]; readonly next: string | null };
type Filter = (query: Knex.QueryBuilder) => void;

export const cursorParameter = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,4000}$/, 'use a cursor as a page gave it')
  .optional()
  .describe('`next` of the page before');

/** The parameters that every list has. @param normal the order when none is asked for, `-` in front: descending */
export const pageParameters = (sorts: Readonly<Record<string, unknown>>, normal: string) => ({
  sort: z
    .enum(Object.keys(sorts).flatMap((name) => [name, `-${name}`]) as [string, ...string[]])
    .default(normal)
    .describe(`order; - in front: descending; default ${normal}`),
  cursor: cursorParameter,
  limit: atMost(100, 50),
});

/** A page ends with what brings it here, in bytes: a row may hold what an event holds, and a page is held whole, as values and as text. */
export const PAGE_BYTES = 4 * 1024 * 1024;

/**
 * One page of a list, by keyset: rows that come or go meanwhile move no page boundary. Shorter than asked for where `PAGE_BYTES` are
 * full before. @throws Problem on a bad cursor
 */
export async function readPage<Row extends ReadModelRow, Computed extends object>(
  pool: Pool,
  { model, without = [], computed, sorts }: ListDefinition<Row, Computed>,
  { sort, cursor, limit }: PageRequest,
  filter: Filter,
): Promise<Page<Row & Computed>> {
  const descending = sort.startsWith('-');
  const by = sorts[descending ? sort.slice(1) : sort];
  if (by === undefined) throw new Problem('invalid-request', `there is no order ${sort}`);
  const column = `t.${snakeCase(by.column)}`;
  const direction = descending ? 'desc' : 'asc';

  const query = sql
    .from(`read_models.${model.table} as t`)
    .select(
      model.columns.filter((name) => !without.includes(name)).map((name) => sql.ref(`t.${snakeCase(name)}`).as(name)),
    )
    .select(Object.entries<string>(computed ?? {}).map(([name, expression]) => sql.raw(`${expression} as ??`, [name])))
    .orderBy([
      { column, order: direction },
      { column: 't.id', order: direction },
    ])
    .limit(limit + 1);
  filter(query);
  if (cursor !== undefined) {
    const { value, id } = readCursor(cursor, sort);
    query.whereRaw(`(${column}, t.id) ${descending ? '<' : '>'} (?::${by.type}, ?)`, [value, id]);
  }

  const native = query.toSQL().toNative();
  const text = firstBytes(native.sql, `"${by.column}" ${direction}, id ${direction}`);
  const rows = await selectRows<Sized<Row & Computed>>(pool, text, native.bindings).catch(badCursor(cursor));
  const items = rows.slice(0, limit).map(withoutSizes);
  const last = items.at(-1);
  const more = last !== undefined && Number(rows[0]?.rows_found) > items.length;
  return {
    items,
    next: more ? writeCursor({ order: sort, value: String(last[by.column]), id: last.id }) : null,
  };
}

type Sized<Row> = Row & { readonly rows_found: string; readonly bytes_before: string };

/** The first rows of a query in an order, until they are enough bytes; each with how many rows the query found. No field has such a name. */
const firstBytes = (query: string, order: string): string => `
select * from (
  select page.*, count(*) over () as rows_found,
    sum(octet_length(page::text)) over (order by ${order} rows unbounded preceding) - octet_length(page::text) as bytes_before
  from (${query}) as page
) as sized where bytes_before < ${PAGE_BYTES} order by ${order}`;

const withoutSizes = <Row extends object>({ rows_found: _found, bytes_before: _before, ...row }: Sized<Row>): Row =>
  row as unknown as Row;

/** A cursor that somebody changed may hold a value that is none of the column's type (SQLSTATE class 22). */
const badCursor =
  (cursor: string | undefined) =>
  (error: unknown): never => {
    if (cursor !== undefined && error instanceof Error && 'code' in error && String(error.code).startsWith('22'))
      throw invalidCursor('use a cursor as a page gave it');
    throw error;
  };

/** A page of a list, as every list answers it. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item).describe('as many as asked for, fewer where they fill 4 MiB'),
    next: z.string().nullable().describe('cursor of the page after it; null on the last'),
  });

/** Where a page ended: the order it was in, and the last row's place in it. */
type Cursor = { readonly order: string; readonly value: string; readonly id: string };

const schema = z.strictObject({ order: z.string().max(100), value: z.string().max(300), id: z.string().max(300) });

export const writeCursor = (cursor: Cursor): string => encoded(cursor);

/** Reads a cursor that a page of the same order gave. @throws Problem `unknown-cursor` */
export function readCursor(text: string, order: string): Cursor {
  const parsed = schema.safeParse(decoded(text));
  if (!parsed.success) throw invalidCursor('use a cursor as a page gave it');
  if (parsed.data.order !== order) throw invalidCursor(`it belongs to the order ${parsed.data.order}: start again`);
  return parsed.data;
}

/** A cursor that holds this. */
export const encoded = (held: object): string => Buffer.from(JSON.stringify(held)).toString('base64url');

/** What a cursor holds; null: it is none. */
export function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return null;
  }
}

export const invalidCursor = (message: string): Problem =>
  new Problem('unknown-cursor', 'the cursor cannot be used', { errors: [{ path: 'query.cursor', message }] });
