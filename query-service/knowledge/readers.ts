import knex from 'knex';
import type { Pool } from 'pg';
import type { Reader } from '@workledger/shared/contexts/agent/knowledge/state.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import type { Principal } from '@workledger/shared/http/route.ts';
import { selectRows } from '@workledger/shared/read-models/select-rows.ts';

/** A part of a statement over entries `t`, with `?` for each value. */
export type Sql = { readonly text: string; readonly values: readonly unknown[] };

/** @param principal null on public routes, which tell nothing of any entry */
export const readerOf = (principal: Principal | null): Reader =>
  principal === null ? { actor: '', teams: [], repositories: [] } : principal;

/**
 * The entries that are there for a reader: the condition of every statement that tells anything of one. Decisions say the same
 * (`isReadableBy` of `shared/contexts/agent/knowledge/state.ts`).
 */
export const readableBy = ({ actor, teams, repositories }: Reader, t = 't'): Sql => ({
  text:
    `(${t}.access = 'all' or ${t}.author = ? or (${t}.access = 'team' and ${t}.team = any (?::text[])))` +
    (repositories === null ? '' : ` and ${t}.repository = any (?::text[])`),
  values: [actor, [...teams], ...(repositories === null ? [] : [[...repositories]])],
});

export const and = (...parts: readonly Sql[]): Sql => ({
  text: parts.map(({ text }) => `(${text})`).join(' and '),
  values: parts.flatMap(({ values }) => values),
});

const sql = knex({ client: 'pg' });

/** Runs a statement with `?` for each value. */
export function select<Row extends object>(pool: Pick<Pool, 'query'>, { text, values }: Sql): Promise<Row[]> {
  const native = sql
    .raw(text, values as readonly string[])
    .toSQL()
    .toNative();
  return selectRows<Row>(pool as Pool, native.sql, native.bindings as readonly unknown[]);
}

/** @throws Problem `not-found` where the entry is not there for the reader */
export async function demandReadable(pool: Pool, reader: Reader, id: string): Promise<void> {
  const readable = readableBy(reader);
  const found = await select(pool, {
    text: `select from read_models.knowledge t where t.id = ? and ${readable.text}`,
    values: [id, ...readable.values],
  });
  if (found.length === 0) throw new Problem('not-found', `there is no entry ${id}`);
}
