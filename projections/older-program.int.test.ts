import { afterEach, beforeEach, expect, it } from 'vitest';
import { startProgram } from '@workledger/infra/testing/processes/program.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrateReadModels } from './migrations.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await migrateReadModels(database.url);
});
afterEach(() => database.drop());

it('a service that is older than its database ends at once, with one line that says so', async () => {
  await database.pool.query(
    `insert into public.migrations_read_models (name, batch, migration_time) values ('9999-of-the-future', 9, now())`,
  );
  const { ended, written } = startProgram('projections/main.ts', [], {
    environment: { DATABASE_URL: database.url, KAFKA_BROKERS: '127.0.0.1:1', PORT: '0', LOG_LEVEL: 'silent' },
  });
  expect(await ended).toBe(1);
  expect(written.output.trim().split('\n')).toEqual([
    'the tables of "read_models" are from a newer version (9999-of-the-future): this program is older than its database; update it',
  ]);
});
