import { readFileSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { isZombie } from './is-zombie.ts';
import { POSTGRES, stopProcess } from '../stop-process.ts';

/**
 * Clears away what a killed Workledger or a killed server left behind: a server that still runs on the cluster is stopped in
 * order (its settings and its log belong to the process that started it), a lock file without a living server is removed.
 * Call it only as the holder of the data folder's lock.
 * @throws Error in one line when the server does not stop
 */
export async function clearLeftovers(cluster: string, log: (line: string) => void): Promise<void> {
  const lockFile = join(cluster, 'postmaster.pid');
  const text = await readFile(lockFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Error(
      `cannot read ${lockFile} (${error.code}): was Workledger last started by another user? Start it as that one`,
    );
  });
  const pid = Number(text.split('\n')[0]);
  if (!(pid > 1)) return;
  if (isServerOn(cluster, pid)) {
    log(`PostgreSQL (process ${pid}) is still running from last time: stopping it`);
    await stopProcess(POSTGRES, pid, () => isServerOn(cluster, pid));
  }
  await rm(lockFile, { force: true });
}

/** Whether that process is alive and is the server on this cluster, and not a later process under a pid used again. */
export function isServerOn(cluster: string, pid: number): boolean {
  if (isZombie(pid)) return false;
  try {
    if (process.platform !== 'linux') return commandOf(pid).includes(cluster);
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // A server's child shows a title of its own (`postgres: checkpointer`) and no arguments.
    if (!/(^|\/)postgres$/.test(program)) return false;
    return args.includes(cluster) || realpathSync(`/proc/${pid}/cwd`) === cluster;
  } catch {
    return false;
  }
}

const commandOf = (pid: number): string =>
  execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
