import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from '../../local/postgres/embedded-postgres.ts';

type Server = { readonly url: string; stop(): Promise<void> };

/** Vitest loads this file once a project: what all projects share hangs on the process. */
const shared = globalThis as { workledgerTestServer?: { started: Promise<Server>; users: number } };

/**
 * Gives the tests a PostgreSQL server as a superuser: the one that WORKLEDGER_TEST_DATABASE_URL names, else one of our own
 * in a temporary folder, once a run. It does not sync to disk: tests about crashes start a durable server themselves.
 */
export async function providePostgres(project: TestProject): Promise<() => Promise<void>> {
  const server = (shared.workledgerTestServer ??= { started: findServer(), users: 0 });
  server.users++;
  project.provide('databaseUrl', (await server.started).url);
  return async () => {
    if (--server.users === 0) await (await server.started).stop();
  };
}

async function findServer(): Promise<Server> {
  const given = process.env['WORKLEDGER_TEST_DATABASE_URL'];
  if (given !== undefined) return { url: given, stop: () => Promise.resolve() };
  const folder = await mkdtemp(join(tmpdir(), 'workledger-test-'));
  // As root the server runs as another user, who may not look into a folder of mode 0700.
  await chmod(folder, 0o711);
  const settings = { max_connections: 300, fsync: 'off', full_page_writes: 'off' };
  const server = await startEmbeddedPostgres({ folder, log: (line) => console.warn(line), settings });
  return {
    url: server.url,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
