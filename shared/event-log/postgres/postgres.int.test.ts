import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { startProxy, type Proxy } from '@workledger/infra/testing/servers/database-proxy.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { eventLogContract } from '../contract.ts';
import { createPostgresEventLog } from './event-log.ts';

let database: TestDatabase;
let proxy: Proxy;
beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await startProxy(database.url);
});
afterAll(async () => {
  await proxy.close();
  await database.drop();
});

let terminating = new AbortController();
async function terminateBackends({ signal }: AbortController): Promise<void> {
  while (!signal.aborted) {
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'workledger-event-log'`,
    );
    await pause(7);
  }
}

eventLogContract('postgres', () => createPostgresEventLog({ connectionString: proxy.url }), {
  'its backends are terminated in the middle of pages': {
    lasts: 1_500,
    strike: () => {
      terminating = new AbortController();
      void terminateBackends(terminating);
      return Promise.resolve();
    },
    mend: () => {
      terminating.abort();
      return pause(100);
    },
  },
  'the server freezes': {
    lasts: 7_000,
    strike: () => Promise.resolve(proxy.freeze()),
    mend: () => Promise.resolve(proxy.thaw()),
  },
  'the server is away': { lasts: 500, strike: () => proxy.shut(), mend: () => proxy.open() },
});
