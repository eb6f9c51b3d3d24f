import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection URL of the test run's PostgreSQL server, as a superuser. */
    databaseUrl: string;
  }
}

export type TestDatabase = { readonly url: string; readonly pool: pg.Pool; drop(): Promise<void> };

/** An empty database of its own on the test run's real PostgreSQL server. Call `drop` in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = inject('databaseUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  // By copying files: to write each page to the write-ahead log, as PostgreSQL would, takes four times the CPU.
  await query(server, `create database ${name} template template0 strategy file_copy`);
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).toString();
  const pool = createDatabasePool({
    connectionString: url,
    max: 10,
    applicationName: 'workledger-test',
    queryTimeout: null,
  });
  return {
    url,
    pool,
    drop: async () => {
      await pool.end();
      await query(server, `drop database if exists ${name} with (force)`);
    },
  };
}

/** Runs one statement on a connection of its own, whatever becomes of the server. @returns its rows */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
