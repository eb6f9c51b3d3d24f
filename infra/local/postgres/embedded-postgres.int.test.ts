import { chmodSync, mkdtempSync } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';
import { temporaryFolders, countMarks, leaveMark } from './testing.ts';
import { query } from '../../testing/servers/database.ts';

// First of the hooks, so last after a test: what runs in the folders is stopped before they go.
const temporaryFolder = temporaryFolders();
const started: EmbeddedPostgres[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

async function start(folder: string, more: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, log: () => undefined, ...more });
  started.push(server);
  return server;
}

describe('a server', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workledger-postgres-'));
  chmodSync(folder, 0o755);
  const data = join(folder, 'a', 'data folder');
  let server: EmbeddedPostgres;
  beforeAll(async () => {
    server = await startEmbeddedPostgres({ folder: data, log: () => undefined });
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is durable and has UTF-8 and the C locale', async () => {
    const rows = await query(
      server.url,
      `select current_setting('fsync') fsync, current_setting('synchronous_commit') sync, current_setting('server_encoding') enc,
       (select datcollate from pg_database where datname = current_database()) collate, current_database() db`,
    );
    expect(rows).toEqual([{ fsync: 'on', sync: 'on', enc: 'UTF8', collate: 'C', db: 'workledger' }]);
  });

  it('listens at 127.0.0.1 only and lets nobody in without the password', async () => {
    const rows = await query(
      server.url,
      "select current_setting('listen_addresses') a, current_setting('unix_socket_directories') s",
    );
    expect(rows).toEqual([{ a: '127.0.0.1', s: '' }]);
    const wrong = Object.assign(new URL(server.url), { password: 'guess' }).toString();
    await expect(query(wrong, 'select')).rejects.toThrow('password authentication failed');
    const trusted = await query(server.url, "select from pg_hba_file_rules where auth_method <> 'scram-sha-256'");
    expect(trusted).toEqual([]);
  });

  it('has its password where others cannot read it', async () => {
    const file = join(data, 'password');
    expect((await readFile(file, 'utf8')).trim()).toBe(new URL(server.url).password);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(data, 'cluster'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(data, 'server.log'))).mode & 0o777).toBe(0o600);
  });

  it('has its folder for itself: a second start is refused in one line and does not disturb it', async () => {
    await expect(start(data)).rejects.toThrow(
      /^the data folder .* is in use by another Workledger \(process \d+\): .*$/,
    );
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('the first start', () => {
  it('begins anew where an earlier first start was cut off', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'cluster.unfinished'));
    await writeFile(join(folder, 'cluster.unfinished', 'PG_VERSION'), '18\n');
    await writeFile(join(folder, 'initdb-password'), 'half');
    const { url } = await start(folder);
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('takes the port and the settings that it is given', async () => {
    const port = await freePort();
    const { url } = await start(await temporaryFolder(), { port, settings: { max_connections: 17 } });
    expect(new URL(url).port).toBe(String(port));
    expect(await query(url, 'show max_connections')).toEqual([{ max_connections: '17' }]);
  });
});

describe('a later start', () => {
  it('finds the data, the port and the password of the first', async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    await leaveMark(first.url);
    await first.stop();
    const second = await start(folder);
    expect(second.url).toBe(first.url);
    expect(await countMarks(second.url)).toBe(1);
  });

  it("takes another port when last time's is taken meanwhile", async () => {
    const folder = await temporaryFolder();
    const first = await start(folder);
    await leaveMark(first.url);
    await first.stop();
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
    try {
      const second = await start(folder);
      expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
      expect(await countMarks(second.url)).toBe(1);
    } finally {
      squatter.close();
    }
  });

  it('says in one line that the database was written by another version', async () => {
    const folder = await temporaryFolder();
    await (await start(folder)).stop();
    await writeFile(join(folder, 'cluster', 'PG_VERSION'), '15\n');
    await expect(start(folder)).rejects.toThrow(/^the database in .* is of PostgreSQL 15, this is PostgreSQL 18: .*$/);
  });
});

describe('what cannot work ends with one clear line', () => {
  it('when the port that was asked for is taken, and leaves the folder free', async () => {
    const folder = await temporaryFolder();
    const squatter = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => squatter.once('listening', resolve));
    const { port } = squatter.address() as AddressInfo;
    try {
      await expect(start(folder, { port })).rejects.toThrow(
        `port ${port} for PostgreSQL is taken: free it, or choose another`,
      );
    } finally {
      squatter.close();
    }
    await start(folder);
  });

  it('when a file stands where the folder should be', async () => {
    const file = join(await temporaryFolder(), 'file');
    await writeFile(file, '');
    await expect(start(join(file, 'data'))).rejects.toThrow(
      `cannot write to the data folder ${join(file, 'data')} (ENOTDIR): make it writable, or choose another`,
    );
  });

  it('when a setting is refused, with the reason of the server', async () => {
    const folder = await temporaryFolder();
    await expect(start(folder, { settings: { shared_buffers: 'plenty' } })).rejects.toThrow(
      /^PostgreSQL did not start: invalid value for parameter "shared_buffers": "plenty" \(whole log: .*\)$/,
    );
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
