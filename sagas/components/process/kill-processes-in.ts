import { readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { statFields } from './process-identity.ts';

const SETTLE_MS = 1_000;

/**
 * Kills what left its process group but still works inside one of these folders (a daemon that an agent started).
 * Only where there is /proc; a process with a terminal is a person's and stays.
 * @returns how many were killed
 */
export async function killProcessesIn(folders: readonly string[]): Promise<number> {
  if (process.platform !== 'linux' || folders.length === 0) return 0;
  const roots = folders.flatMap(real);
  const found = processesIn(roots);
  for (const pid of found) kill(pid);
  const until = performance.now() + SETTLE_MS;
  while (found.some(isRunning) && performance.now() < until) await sleep(10);
  return found.length;
}

function processesIn(roots: readonly string[]): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => roots.some((root) => isInside(workingFolder(name), root)) && statFields(name)?.terminal === 0)
    .map(Number);
}

const isInside = (folder: string | null, root: string): boolean =>
  folder !== null && (folder === root || folder.startsWith(root + sep));

function workingFolder(pid: string): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '');
  } catch {
    return null;
  }
}

function real(folder: string): string[] {
  try {
    return [realpathSync(folder)];
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

function isRunning(pid: number): boolean {
  const fields = statFields(pid);
  return fields !== null && !'ZX'.includes(fields.state);
}
