import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isZombie } from '../postgres/is-zombie.ts';
import { KAFKA, stopProcess } from '../stop-process.ts';

export const pidFile = (folder: string): string => join(folder, 'broker.pid');
export const propertiesFile = (folder: string): string => join(folder, 'server.properties');

/**
 * Stops a broker that a killed process left running on the folder. Call it only as the holder of the folder's lock. Kafka's own
 * locks on its data end with its process.
 * @throws Error in one line when the broker does not stop
 */
export async function stopLeftoverBroker(folder: string, log: (line: string) => void): Promise<void> {
  const pid = Number(await readFile(pidFile(folder), 'utf8').catch(() => ''));
  if (pid > 1 && isBrokerOn(folder, pid)) {
    log(`Kafka (process ${pid}) is still running from last time: stopping it`);
    await stopProcess(KAFKA, pid, () => isBrokerOn(folder, pid));
  }
  await rm(pidFile(folder), { force: true });
}

/** Whether that process is alive and is the broker of this folder, and not a later process under a pid used again. */
export function isBrokerOn(folder: string, pid: number): boolean {
  if (isZombie(pid)) return false;
  try {
    const command = commandOf(pid);
    return command.includes('kafka.Kafka') && command.includes(propertiesFile(folder));
  } catch {
    return false;
  }
}

const commandOf = (pid: number): readonly string[] | string =>
  process.platform === 'linux'
    ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    : execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
