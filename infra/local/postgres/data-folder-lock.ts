import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isSameProcess, type ProcessIdentity } from '@workledger/sagas/components/process/processes.ts';
import { isZombie } from '../stop-process.ts';

const released = 'released';

/** Who keeps a data folder now; null: nobody, or nobody who lives. */
export async function ownerOfDataFolder(folder: string): Promise<ProcessIdentity | null> {
  const last = await highest(folder).catch(() => 0);
  const owner = last === 0 ? released : await ownerOf(lockFile(folder, last));
  return owner !== released && isAlive(owner) ? owner : null;
}

/**
 * Keeps a second Workledger off a data folder. Lock files are numbered; the highest one counts. Who finds its owner dead (or
 * released) creates the next number, which only one can: there is no moment in which two take over the same stale lock.
 * @returns releases the lock
 * @throws Error in one line when a living process holds it
 */
export async function lockDataFolder(folder: string): Promise<() => Promise<void>> {
  for (;;) {
    const last = await highest(folder);
    const owner = last === 0 ? released : await ownerOf(lockFile(folder, last));
    if (owner !== released && isAlive(owner)) {
      throw new Error(
        `the data folder ${folder} is in use by another Workledger (process ${owner.pid}): ` +
          'stop that one, or choose another data folder',
      );
    }
    const ours = lockFile(folder, last + 1);
    if (!(await create(ours))) continue;
    // A look at the folder that is older than a whole turn of locks could have let us use a number already passed.
    if ((await highest(folder)) !== last + 1) {
      await rm(ours, { force: true });
      continue;
    }
    for (let old = last; old > 0 && old > last - 3; old--) await rm(lockFile(folder, old), { force: true });
    return () => release(ours);
  }
}

/** A folder that is gone needs no lock any more. */
const release = (file: string): Promise<void> =>
  writeFile(file, released).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });

const lockFile = (folder: string, number: number): string => join(folder, `lock.${number}`);

async function highest(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

async function create(file: string): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(identify(process.pid)), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Who wrote the lock. Half written, its owner is still writing, or died while at it, which a short wait tells apart. */
async function ownerOf(file: string): Promise<ProcessIdentity | typeof released> {
  for (let look = 0; look < 50; look++) {
    const text = await readFile(file, 'utf8').catch(() => released);
    if (text === released) return released;
    try {
      return JSON.parse(text) as ProcessIdentity;
    } catch {
      await sleep(20);
    }
  }
  return released;
}

export const isAlive = (owner: ProcessIdentity): boolean => isSameProcess(owner) && !isZombie(owner.pid);
