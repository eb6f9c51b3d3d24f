import pg from 'pg';
import type { CustomTypesConfig, Pool, PoolClient } from 'pg';

type Parser = (value: string) => unknown;

const isoTime: Parser = (value) => new Date(value).toISOString();
const { TIMESTAMPTZ } = pg.types.builtins;

/** Times as ISO 8601 texts, as in the row types; all else as pg has it. */
export const readModelTypes: CustomTypesConfig = {
  getTypeParser: (oid): Parser => (oid === TIMESTAMPTZ ? isoTime : (pg.types.getTypeParser(oid, 'text') as Parser)),
};

/** Runs a query whose columns are the fields of `Row`. */
export async function selectRows<Row extends object>(
  database: Pool | PoolClient,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const { rows } = await database.query<Row>({ text, values: [...values], types: readModelTypes });
  return rows;
}
