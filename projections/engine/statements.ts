import { createHash } from 'node:crypto';
import { loadSql } from './load-sql.ts';
import type { Projection } from './projection.ts';
import { moveSql, saveSql } from './save-sql.ts';
import type { Tables } from './tables.ts';

/** A statement that each connection parses and plans once: as pg takes it, without its values. */
type Statement = { readonly name: string; readonly text: string };

/** What a projection asks of its tables. */
type Statements = {
  readonly load: Statement;
  /** Moves the progress, nothing else. */
  readonly move: Statement;
  readonly save: Statement;
  readonly saveAndRemove: Statement;
};

const made = new WeakMap<Tables, Statements>();

export function statementsOf(tables: Tables, { columns }: Projection): Statements {
  const kept = made.get(tables);
  if (kept !== undefined) return kept;
  const statements = {
    load: statement(loadSql(tables, columns)),
    move: statement(moveSql(tables)),
    save: statement(saveSql(tables, columns, false)),
    saveAndRemove: statement(saveSql(tables, columns, true)),
  };
  made.set(tables, statements);
  return statements;
}

const statement = (text: string): Statement => ({
  name: `projection-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
  text,
});
