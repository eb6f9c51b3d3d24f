import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from './embedded-postgres.ts';
import { isServerOn } from './server-process.ts';
import { temporaryFolders, countMarks, leaveMark } from './testing.ts';
import { runStarter, type Starter } from '../../testing/servers/starter.ts';
import { makeZombie } from '../../testing/processes/processes.ts';

// First of the hooks, so last after a test: what runs in the folders is stopped before they go.
const temporaryFolder = temporaryFolders();
const started: EmbeddedPostgres[] = [];
const starters: Starter[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
  for (const starter of starters.splice(0)) await starter.end();
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

async function start(folder: string, log: string[] = []): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ folder, log: (line) => log.push(line) });
  started.push(server);
  return server;
}

async function startElsewhere(folder: string): Promise<Starter> {
  const starter = await runStarter('postgres', { folder });
  starters.push(starter);
  return starter;
}

describe('after kill -9', () => {
  it('of the starter, the next start stops the server left over and keeps the data', async () => {
    const folder = await temporaryFolder();
    const killed = await startElsewhere(folder);
    await leaveMark(killed.url);
    await killed.kill();
    expect(await countMarks(killed.url)).toBe(1);
    const log: string[] = [];
    const next = await start(folder, log);
    expect(log).toContain(`PostgreSQL (process ${killed.pid}) is still running from last time: stopping it`);
    expect(next.url).toBe(killed.url);
    expect(await countMarks(next.url)).toBe(1);
  });

  it('of the server, its holder hears of it and the next start keeps the data', async () => {
    const folder = await temporaryFolder();
    const killed = await start(folder);
    await leaveMark(killed.url);
    process.kill(killed.pid, 'SIGKILL');
    expect(await killed.died).toBe('signal SIGKILL');
    await killed.stop();
    expect(await countMarks((await start(folder)).url)).toBe(1);
  });

  it('of both, the next start keeps the data', async () => {
    const folder = await temporaryFolder();
    const killed = await startElsewhere(folder);
    await leaveMark(killed.url);
    process.kill(killed.pid, 'SIGKILL');
    await killed.kill();
    expect(await countMarks((await start(folder)).url)).toBe(1);
  });

  it('of the starter, a second starter beside a living one is still refused', async () => {
    const folder = await temporaryFolder();
    await (await startElsewhere(folder)).kill();
    await startElsewhere(folder);
    const second = await startElsewhere(folder);
    expect(second.error).toMatch(/^the data folder .* is in use by another Workledger \(process \d+\): .*$/);
  });
});

describe('a lock file of the server that is left over', () => {
  it('with the pid of a process of somebody else: that one lives on', async () => {
    const folder = await temporaryFolder();
    await (await start(folder)).stop();
    const bystander = spawn('sleep', ['600']);
    children.push(bystander);
    await writeFile(join(folder, 'cluster', 'postmaster.pid'), lockFileOf(bystander.pid));
    await start(folder);
    expect(bystander.exitCode ?? bystander.signalCode).toBeNull();
  });

  it('with the pid of a process that nobody has reaped', async (context) => {
    if (process.platform !== 'linux') return context.skip('needs /proc to tell a process that nobody has reaped');
    const folder = await temporaryFolder();
    await (await start(folder)).stop();
    const zombie = await makeZombie();
    children.push(zombie.parent);
    await writeFile(join(folder, 'cluster', 'postmaster.pid'), lockFileOf(zombie.pid));
    await start(folder);
  });

  it('with a pid that is free', async () => {
    const folder = await temporaryFolder();
    await (await start(folder)).stop();
    await writeFile(join(folder, 'cluster', 'postmaster.pid'), lockFileOf(spawnSync('true').pid));
    await start(folder);
  });
});

it('knows the server on a cluster from a server on another', async () => {
  const [one, other] = [await temporaryFolder(), await temporaryFolder()];
  const { pid } = await start(one);
  expect(isServerOn(join(one, 'cluster'), pid)).toBe(true);
  expect(isServerOn(join(other, 'cluster'), pid)).toBe(false);
});

const lockFileOf = (pid: number | undefined): string => `${pid}\n/somewhere\n1700000000\n5432\n\n127.0.0.1\n\nready\n`;
