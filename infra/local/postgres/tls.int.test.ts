import { chown, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withAccess } from '@workledger/shared/config/server-access.ts';
import { migrate } from '@workledger/shared/migrations/migrate.ts';
import { createDatabasePool } from '@workledger/shared/resilience/database-pool.ts';
import { createOutages } from '@workledger/shared/resilience/outages/outages.ts';
import { captureLog } from '../../testing/events/captured-logger.ts';
import { removeFolder, temporaryFolder } from '../../testing/processes/folder.ts';
import { startProgram } from '../../testing/processes/program.ts';
import { createAuthority } from '../../testing/servers/authority.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';
import { serverUser } from './server-user.ts';

let folder: string;
let server: EmbeddedPostgres;
let open: EmbeddedPostgres['url'];
let authority: string;
let another: string;

beforeAll(async () => {
  folder = await temporaryFolder('tls', 0o755);
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const mine = await createAuthority();
  const issued = await mine.issue('localhost');
  authority = await file('ca.pem', mine.certificate);
  another = await file('another.pem', (await createAuthority()).certificate);
  const [certificate, key] = [await file('server.pem', issued.certificate), await file('server.key', issued.key)];
  const user = await serverUser();
  if (user !== null) await Promise.all([certificate, key].map((path) => chown(path, user.uid, user.gid)));
  server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    log: () => undefined,
    settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key, fsync: 'off' },
  });
  open = server.url;
});
afterAll(async () => {
  await server.stop();
  await removeFolder(folder);
});

const at = (host: string, parameters: string): string => `${open.replace('127.0.0.1', host)}?${parameters}`;
const IS_SECURED = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

it('is reached over TLS by who knows its authority and its name', async () => {
  const { DATABASE_URL } = withAccess({
    DATABASE_URL: at('localhost', `sslmode=verify-full&sslrootcert=${authority}`),
  });
  const pool = createDatabasePool({ connectionString: DATABASE_URL, max: 1, applicationName: 'test' });
  expect((await pool.query(IS_SECURED)).rows).toEqual([{ ssl: true }]);
  await pool.end();
  // knex, too, which has a parser of its own.
  const told: unknown[] = [];
  await migrate(DATABASE_URL, 'tls_test', [
    { name: '0001', up: async (knex) => void told.push((await knex.raw<{ rows: unknown }>(IS_SECURED)).rows) },
  ]);
  expect(told).toEqual([[{ ssl: true }]]);
});

it.each([
  ['of another authority', () => at('localhost', `sslmode=verify-full&sslrootcert=${another}`), /no authority that is/],
  ['of no known authority', () => at('localhost', 'sslmode=verify-full'), /no authority that is trusted here/],
  ['by another name', () => at('127.0.0.1', `sslmode=verify-full&sslrootcert=${authority}`), /for another name/],
] as const)('is refused %s, in one line', async (_, url, words) => {
  const log = captureLog();
  const outages = createOutages(log.logger);
  const pool = createDatabasePool({ connectionString: url(), max: 1, applicationName: 'test' });
  await expect(outages.watch('postgresql', () => pool.query('select 1'))).rejects.toThrow();
  await expect(migrate(url(), 'tls_test', [])).rejects.toThrow();
  expect(log.lines()).toMatchObject([
    { msg: 'postgresql does not let us in: trying again', reason: expect.stringMatching(words) },
  ]);
  expect(log.text()).not.toContain(new URL(open).password);
  await pool.end();
});

it('without TLS nobody goes on where TLS was asked for', async () => {
  const plain = await startEmbeddedPostgres({ folder: join(folder, 'plain'), log: () => undefined });
  const connectionString = `${plain.url}?sslmode=verify-full`;
  const pool = createDatabasePool({ connectionString, max: 1, applicationName: 'test' });
  await expect(pool.query('select 1')).rejects.toThrow('The server does not support SSL connections');
  await pool.end();
  await plain.stop();
});

it('a service that would go to another machine without TLS does not start', async () => {
  const service = startProgram('projections/main.ts', [], {
    cwd: folder,
    environment: { DATABASE_URL: 'postgres://ada:sesame@db.example.org/work', KAFKA_BROKERS: '127.0.0.1:1' },
  });
  expect(await service.ended).toBe(1);
  expect(service.written.stderr).toMatch(/^environment: DATABASE_URL: db\.example\.org is another machine.*\n$/);
});
