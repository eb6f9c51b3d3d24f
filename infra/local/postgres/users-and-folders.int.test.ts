import { chmod, chown, mkdir, readdir, readFile, realpath, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, type TestContext } from 'vitest';
import { standInFor } from './home.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.ts';
import { serverUser, type ServerUser } from './server-user.ts';
import { copyWithoutLinks, hasLinks, temporaryFolders, countMarks, leaveMark } from './testing.ts';
import { query } from '../../testing/servers/database.ts';
import { runStarter, type Starter } from '../../testing/servers/starter.ts';

// First of the hooks, so last after a test: what runs in the folders is stopped before they go.
const temporaryFolder = temporaryFolders();
const started: EmbeddedPostgres[] = [];
const starters: Starter[] = [];
const elsewhere: string[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  for (const starter of starters.splice(0)) await starter.end();
  for (const folder of elsewhere.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function start(options: Omit<EmbeddedPostgresOptions, 'log'>): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ ...options, log: () => undefined });
  started.push(server);
  return server;
}

/** As root only: the user that stands for an ordinary one. */
async function ordinaryUser(context: TestContext): Promise<ServerUser> {
  return (await serverUser()) ?? context.skip('needs root, to become other users');
}

describe('where npm blocked the install script', () => {
  it('the links between libraries are made at start', async () => {
    const native = await copyWithoutLinks(await temporaryFolder());
    expect(await hasLinks(native)).toBe(false);
    const { url } = await start({ folder: await temporaryFolder(), native });
    expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await hasLinks(native)).toBe(true);
  });

  it('and the package cannot be written either, an ordinary user runs a copy', async (context) => {
    const user = await ordinaryUser(context);
    const native = await copyWithoutLinks(await temporaryFolder());
    const folder = join(await temporaryFolder(0o777), 'data');
    const starter = await runStarter('postgres', { folder, native, user });
    starters.push(starter);
    expect(await query(starter.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await hasLinks(native)).toBe(false);
    const copies = (await readdir(folder)).filter((name) => name.startsWith('binaries-'));
    expect(copies).toHaveLength(1);
    expect(await hasLinks(join(folder, copies[0] ?? ''))).toBe(true);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'cluster'))).uid).toBe(user.uid);
  });
});

describe('as root', () => {
  it('the server runs as another user without groups', async (context) => {
    const user = await ordinaryUser(context);
    if (process.platform !== 'linux') context.skip('needs /proc to see the user of a process');
    const { pid } = await start({ folder: await temporaryFolder() });
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`^Uid:\\s+${user.uid}\\s+${user.uid}\\s+${user.uid}\\s`, 'm'));
    expect(status).toMatch(new RegExp(`^Gid:\\s+${user.gid}\\s+${user.gid}\\s+${user.gid}\\s`, 'm'));
    expect(status).toMatch(/^Groups:\s*$/m);
  });

  it('below a folder that is closed to others, both checkout and data: the database is elsewhere, and is found again', async (context) => {
    await ordinaryUser(context);
    const closed = await temporaryFolder(0o700);
    const native = await copyWithoutLinks(closed);
    const folder = join(closed, 'checkout', '.workledger', 'postgres');
    const first = await start({ folder, native });
    const home = (await readFile(join(folder, 'location'), 'utf8')).trim();
    const copy = await standInFor(native, 'postgresql');
    elsewhere.push(home, copy);
    expect(await readdir(copy)).toHaveLength(1);
    await leaveMark(first.url);
    await first.stop();
    const second = await start({ folder, native });
    expect(await countMarks(second.url)).toBe(1);
    expect(home).toMatch(/\/workledger-data-[0-9a-f]{16}$/);
    expect((await stat(join(home, 'cluster'))).mode & 0o777).toBe(0o700);
    await second.stop();

    // A copy that somebody tidied up is made again.
    await rm(join(copy, (await readdir(copy))[0] ?? '', 'lib'), { recursive: true });
    const third = await start({ folder, native });
    expect(await countMarks(third.url)).toBe(1);
    await third.stop();

    await rm(home, { recursive: true });
    await expect(start({ folder, native })).rejects.toThrow(
      `the database of ${folder} was in ${home}, which is gone: bring it back, or remove ${folder} to start empty`,
    );
  });

  it('a stand-in that somebody else made first is not used', async (context) => {
    const user = await ordinaryUser(context);
    const folder = join(await realpath(await temporaryFolder(0o700)), 'data');
    const squatted = await standInFor(folder, 'data');
    elsewhere.push(squatted);
    await chown(squatted, user.uid, user.gid);
    await expect(start({ folder })).rejects.toThrow(
      `${squatted} belongs to somebody else: remove it, or choose another data folder`,
    );
    await rm(squatted, { recursive: true });
    await symlink(tmpdir(), squatted);
    await expect(start({ folder })).rejects.toThrow(/belongs to somebody else/);
  });

  it('where a folder was closed later, one line says so and the data stay', async (context) => {
    await ordinaryUser(context);
    const above = await temporaryFolder();
    const folder = join(above, 'data');
    const first = await start({ folder });
    await leaveMark(first.url);
    await first.stop();
    await chmod(above, 0o700);
    await expect(start({ folder })).rejects.toThrow(
      /^PostgreSQL cannot reach .*\/data any more .*: open it with chmod o\+x, .*$/,
    );
    await chmod(above, 0o755);
    expect(await countMarks((await start({ folder })).url)).toBe(1);
  });
});

describe('as an ordinary user', () => {
  it('a folder of somebody else is refused in one line', async (context) => {
    const user = await ordinaryUser(context);
    const native = await copyWithoutLinks(await temporaryFolder());
    const folder = join(await temporaryFolder(), 'data');
    await mkdir(folder);
    const starter = await runStarter('postgres', { folder, native, user });
    expect(starter.error).toMatch(
      /^cannot write to the data folder .*\/data \(E(PERM|ACCES)\): make it writable, or choose another$/,
    );
  });
});
