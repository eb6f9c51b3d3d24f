import { projections } from '@workledger/projections/all.ts';
import { migrateReadModels } from '@workledger/projections/migrations.ts';
import { snakeCase } from '@workledger/shared/contexts/define-row.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/servers/database.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
});
afterAll(() => database.drop());

test.each(projections.map((projection) => [projection.table, projection] as const))(
  'the columns of %s are the fields of its row, nullable where these are',
  async (_, { table, version, schema }) => {
    const fields = Object.entries<z.ZodType>(schema.shape).map(([name, field]) => ({
      name: snakeCase(name),
      nullable: field.safeParse(null).success,
    }));
    const { rows } = await database.pool.query<{ name: string; nullable: boolean }>(
      `select column_name as name, is_nullable = 'YES' as nullable from information_schema.columns
        where table_schema = 'read_models' and table_name = $1 and is_generated = 'NEVER'`,
      [`${table}_v${version}`],
    );
    // A column that came later is the last one, wherever its field stands.
    const byName = (left: { name: string }, right: { name: string }) => (left.name < right.name ? -1 : 1);
    expect(rows.toSorted(byName)).toEqual(fields.toSorted(byName));
  },
);
