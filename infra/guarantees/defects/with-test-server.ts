import { rm } from 'node:fs/promises';
import { startEmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';
import { temporaryFolder } from '../../testing/processes/folder.ts';

const VARIABLE = 'WORKLEDGER_TEST_DATABASE_URL';

/** Gives all test runs one PostgreSQL server, so that not each starts its own. */
export async function withTestServer<Result>(work: () => Promise<Result>): Promise<Result> {
  if (process.env[VARIABLE] !== undefined) return work();
  const folder = await temporaryFolder('defects-server');
  const settings = { max_connections: 300, fsync: 'off', full_page_writes: 'off' };
  const server = await startEmbeddedPostgres({ folder, log: () => undefined, settings });
  process.env[VARIABLE] = server.url;
  try {
    return await work();
  } finally {
    delete process.env[VARIABLE];
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
