import { randomBytes } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startService, type Service } from '@workledger/command-service/api/testing/service.ts';
import { createQueryRoutes } from '@workledger/query-service/start.ts';
import { createPostgresArtefacts } from '@workledger/shared/artefacts/postgres/artefacts.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import { createKeyStore } from '@workledger/shared/security/key-store.ts';
import { createSecretHashOf } from '@workledger/shared/security/secrets.ts';
import { databaseServices, makeDatabaseRoles, roleOf, urlOf, type RolesOptions } from '../../docker/database-roles.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { problemCode, serve, type TestClient } from '../../testing/servers/application.ts';
import { query } from '../../testing/servers/database.ts';
import { startProxy, type Proxy } from '../../testing/servers/database-proxy.ts';

let writeSide: Service;
let proxy: Proxy;
let pool: pg.Pool;
let readSide: TestClient;
let admin: string;
const prefix = `secrets_${randomBytes(6).toString('hex')}`;

/** The query service under its own role in the database, which it reaches through a line that can be cut; the log is another line. */
beforeAll(async () => {
  writeSide = await startService();
  admin = (await writeSide.key('admin')).key;
  const { database, log } = writeSide;
  const passwords = Object.fromEntries(databaseServices.map((service) => [service, randomBytes(12).toString('hex')]));
  const roles = { ownerUrl: database.url, passwords: passwords as RolesOptions['passwords'], prefix };
  await makeDatabaseRoles(roles);
  proxy = await startProxy(urlOf('query-service', roles));
  pool = createDatabasePool({ connectionString: proxy.url, max: 4, applicationName: 'queries' });
  const { logger } = captureLog();
  const artefacts = createPostgresArtefacts(pool);
  readSide = await serve({
    routes: createQueryRoutes({ pool, log, artefacts, ageingSeconds: 3_600, wakeUps: createWakeUps() }),
    authenticate: authenticateWith(createKeyStore(log, { secretHashOf: createSecretHashOf(pool) })),
    logger,
  });
});
afterAll(async () => {
  await readSide.stop();
  await pool.end();
  await proxy.close();
  const server = writeSide.database.pool.options.connectionString ?? '';
  await writeSide.close();
  const base = Object.assign(new URL(server), { pathname: '/postgres' }).toString();
  for (const service of databaseServices) await query(base, `drop role if exists ${roleOf(service, prefix)}`);
});

const write = async (method: string, path: string, json?: unknown, key = admin) =>
  writeSide.client.ask(method, `/api/v1${path}`, { key, ...(json !== undefined && { json }) });
const read = async (key: string): Promise<string> => {
  const told = await readSide.ask('GET', '/api/v1/tasks', { key });
  return told.status === 200 ? 'let in' : `${told.status} ${problemCode(told)}`;
};
async function keyOfUser(): Promise<{ readonly id: string; readonly key: string }> {
  const { body: user } = await write('POST', '/users', { name: 'Ada', role: 'operator' });
  const { body } = await write('POST', '/keys', { name: 'x', role: 'operator', userId: user['id'] });
  return { id: String(body['id']), key: String(body['key']) };
}

test("a user's key opens both services, until it is revoked", async () => {
  const { id, key } = await keyOfUser();
  expect([(await write('POST', '/tasks', { title: 'x' }, key)).status, await read(key)]).toEqual([201, 'let in']);
  expect((await write('DELETE', `/keys/${id}`)).status).toBe(200);
  expect([(await write('POST', '/tasks', { title: 'x' }, key)).status, await read(key)]).toEqual([
    401,
    '401 unauthenticated',
  ]);
});

test('while the table cannot be reached nobody is told that their key is wrong, and afterwards it is let in', async () => {
  const { key } = await keyOfUser();
  await proxy.shut();
  expect(await read(key)).toBe('503 unavailable');
  await proxy.open();
  await expect.poll(() => read(key), { timeout: 10_000 }).toBe('let in');
});

test('a right that the role has not is a fault of ours, and no answer about the key', async () => {
  const { key } = await keyOfUser();
  const right = `select on command_service.secrets`;
  const role = roleOf('query-service', prefix);
  await writeSide.database.pool.query(`revoke ${right} from ${role}`);
  expect(await read(key)).toBe('500 internal-error');
  await writeSide.database.pool.query(`grant ${right} to ${role}`);
  expect(await read(key)).toBe('let in');
});
