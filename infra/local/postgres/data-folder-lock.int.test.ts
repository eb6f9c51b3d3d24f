import { spawnSync } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identify } from '@workledger/sagas/components/process/processes.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { temporaryFolders } from './testing.ts';
import { makeZombie } from '../../testing/processes/processes.ts';

const temporaryFolder = temporaryFolders();

describe('the lock of a data folder', () => {
  it('refuses a second holder and names the process that holds it', async () => {
    const folder = await temporaryFolder();
    const unlock = await lockDataFolder(folder);
    await expect(lockDataFolder(folder)).rejects.toThrow(
      `the data folder ${folder} is in use by another Workledger (process ${process.pid}): stop that one, or choose another data folder`,
    );
    await unlock();
    await (
      await lockDataFolder(folder)
    )();
  });

  it('is taken over from a dead process by exactly one of many', async () => {
    for (let round = 0; round < 10; round++) {
      const folder = await temporaryFolder();
      const dead = { host: hostname(), pid: spawnSync('true').pid, startedAt: 'long ago' };
      await writeFile(join(folder, 'lock.7'), JSON.stringify(dead));
      const tries = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataFolder(folder)));
      expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    }
  });

  it('is taken over where a pid was used again by another process', async () => {
    const folder = await temporaryFolder();
    const earlier = { host: hostname(), pid: process.pid, startedAt: 'before this process' };
    await writeFile(join(folder, 'lock.1'), JSON.stringify(earlier));
    await (
      await lockDataFolder(folder)
    )();
  });

  it('is taken over from a killed process that nobody has reaped', async (context) => {
    if (process.platform !== 'linux') return context.skip('needs /proc to tell a process that nobody has reaped');
    const folder = await temporaryFolder();
    const zombie = await makeZombie();
    await writeFile(join(folder, 'lock.1'), JSON.stringify(identify(zombie.pid)));
    await (
      await lockDataFolder(folder)
    )();
    zombie.parent.kill('SIGKILL');
  });

  it('is taken over where its owner died while writing it', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'lock.3'), '');
    await (
      await lockDataFolder(folder)
    )();
  });

  it('leaves one file behind, however often it is taken', async () => {
    const folder = await temporaryFolder();
    for (let turn = 0; turn < 5; turn++) await (await lockDataFolder(folder))();
    expect(await readdir(folder)).toEqual(['lock.5']);
  });
});
