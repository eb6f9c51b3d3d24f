import type { TestProject } from 'vitest/node';

/** Gives the integration tests a PostgreSQL server: the one named by WORKLEDGER_TEST_DATABASE_URL. */
export default function setup(project: TestProject): void {
  const url = process.env['WORKLEDGER_TEST_DATABASE_URL'];
  if (url === undefined) throw new Error('set WORKLEDGER_TEST_DATABASE_URL to a PostgreSQL server');
  project.provide('databaseUrl', url);
}
