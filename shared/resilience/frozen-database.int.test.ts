import net from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import { migrate } from '../migrations/migrate.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createTestDatabase, type TestDatabase } from '@workledger/infra/testing/servers/database.ts';
import { startProxy, type Proxy } from '@workledger/infra/testing/servers/database-proxy.ts';
import { createDatabasePool } from './database-pool.ts';
import { createOutages } from './outages/outages.ts';

/** Accepts every connection, and says nothing. */
const silent = net.createServer((socket) => socket.on('error', () => undefined).resume());
let silentUrl: string;
let database: TestDatabase;
let proxy: Proxy;
beforeAll(async () => {
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  silentUrl = `postgres://nobody@127.0.0.1:${(silent.address() as net.AddressInfo).port}/nothing`;
  database = await createTestDatabase();
  proxy = await startProxy(database.url);
});
afterAll(async () => {
  silent.close();
  await proxy.close();
  await database.drop();
});

it('a server that takes connections and stays silent is given up, told once, and keeps nobody from ending', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const pool = createDatabasePool({ connectionString: silentUrl, max: 2, applicationName: 'test', outages });
  const queries = await Promise.allSettled([1, 2, 3, 4].map(() => pool.query('select 1')));
  expect(queries.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  await pool.end();
  expect(lines().map(({ msg }) => msg)).toEqual(['postgresql is away: waiting for it']);
});

it('neither migrations nor the opening of the event log wait for it for ever', async () => {
  const opened = [migrate(silentUrl, 'test', []), createPostgresEventLog({ connectionString: silentUrl })];
  for (const outcome of await Promise.allSettled(opened))
    expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/timeout/) } });
});

it('one that freezes gives the connections back, more queries than there are connections', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const options = { connectionString: proxy.url, max: 2, applicationName: 'test', queryTimeout: 300, outages };
  const pool = createDatabasePool(options);
  const ask = () => Promise.allSettled([1, 2, 3, 4].map(() => pool.query('select 1')));
  expect((await ask()).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  proxy.freeze();
  expect((await ask()).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  proxy.thaw();
  expect((await ask()).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'));
  proxy.freeze();
  const last = ask();
  await pool.end();
  await last;
  proxy.thaw();
  const [first, second] = lines().map(({ msg }) => msg);
  expect([first, second]).toEqual(['postgresql is away: waiting for it', 'postgresql is back']);
});
