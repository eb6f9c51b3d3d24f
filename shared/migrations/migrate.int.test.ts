import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { migrate, type Migration } from './migrate.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const createTable = (table: string): Migration => ({
  name: `0001-create-${table}`,
  up: async (knex) => knex.schema.createTable(table, (columns) => void columns.integer('number')),
});
const insertRow = (table: string): Migration => ({
  name: `0002-insert-into-${table}`,
  up: async (knex) => {
    await knex.raw('select pg_sleep(0.05)');
    await knex(table).insert({ number: 1 });
  },
});
const count = async (table: string): Promise<number> =>
  Number((await database.pool.query<{ count: string }>(`select count(*) from ${table}`)).rows[0]?.count);

it('runs every migration once when four callers start together', async () => {
  const list = [createTable('together'), insertRow('together')];
  await Promise.all(Array.from({ length: 4 }, () => migrate(database.url, 'together', list)));
  expect(await count('together')).toBe(1);
});

it('goes on from where the last run ended', async () => {
  await migrate(database.url, 'further', [createTable('further')]);
  await migrate(database.url, 'further', [createTable('further'), insertRow('further')]);
  await migrate(database.url, 'further', [createTable('further'), insertRow('further')]);
  expect(await count('further')).toBe(1);
});

it('frees the lock row that a killed process left', async () => {
  await migrate(database.url, 'stale', [createTable('stale')]);
  await database.pool.query('update public.migrations_stale_lock set is_locked = 1');
  await migrate(database.url, 'stale', [createTable('stale'), insertRow('stale')]);
  expect(await count('stale')).toBe(1);
});

it('rolls a failing migration back and runs it again next time', async () => {
  await migrate(database.url, 'failing', [createTable('failing')]);
  const failing: Migration = {
    name: '0002-fail',
    up: async (knex) => {
      await knex('failing').insert({ number: 1 });
      throw new Error('broken on purpose');
    },
  };
  await expect(migrate(database.url, 'failing', [createTable('failing'), failing])).rejects.toThrow(
    'broken on purpose',
  );
  expect(await count('failing')).toBe(0);
  await migrate(database.url, 'failing', [createTable('failing'), { ...insertRow('failing'), name: '0002-fail' }]);
  expect(await count('failing')).toBe(1);
});

it('refuses a database that is ahead of the program', async () => {
  await migrate(database.url, 'ahead', [createTable('ahead'), insertRow('ahead')]);
  await expect(migrate(database.url, 'ahead', [createTable('ahead')])).rejects.toThrow(
    'the tables of "ahead" are from a newer version (0002-insert-into-ahead): this program is older than its database; update it',
  );
  expect(await count('ahead')).toBe(1);
});
