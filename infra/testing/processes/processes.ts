import { setTimeout as pause } from 'node:timers/promises';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isZombie } from '../../local/stop-process.ts';
import { until } from './until.ts';
import { spawn, type ChildProcess } from 'node:child_process';

/** Whether a process still does anything: one that nobody has reaped yet does not. */
export const isAlive = (pid: number): boolean => isRunning(pid) && !isZombie(pid);

/** SIGKILL to all of these, then waits until they are gone. */
export async function killAndWait(pids: readonly number[]): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGKILL');
  await until('killed processes to be gone', () => !pids.some(isAlive));
}

/** SIGSTOP: it does nothing any more, and starts nothing. */
export const freeze = (pid: number): void => signal(pid, 'SIGSTOP');

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It was gone already.
  }
}

/** Children of a process, where the system tells (Linux). */
export function childrenOf(parent: number): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => parentOf(pid) === parent);
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return -1;
  }
}

/** Whether a living process works in this folder or on something in it, and is no later one under a pid used again. */
export function isAliveOn(folder: string, pid: number): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder) ||
      readlinkSync(`/proc/${pid}/cwd`).startsWith(folder)
    );
  } catch {
    return false;
  }
}

/** All below a process, where the system tells (Linux). */
export const descendantsOf = (parent: number): number[] =>
  childrenOf(parent).flatMap((child) => [child, ...descendantsOf(child)]);

/** The words of a process's command line; none when it is gone. */
export function commandOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Living processes that work inside a folder or name it on their command line. Reads /proc. */
export function processesOf(folder: string): { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
      const cwd = read(() => readlinkSync(`/proc/${pid}/cwd`));
      return command.includes(folder) || cwd.startsWith(folder) ? [{ pid: Number(pid), command }] : [];
    });
}

/** Resolves when no process of the folder is left. @throws Error with those that stay for ten seconds */
export async function noProcessesOf(folder: string): Promise<void> {
  let left = processesOf(folder);
  await until('processes to end', () => (left = processesOf(folder)).length === 0, 10).catch(() => {
    throw new Error(`still running: ${JSON.stringify(left)}`);
  });
}

/** Kills what a test left behind in its folder. */
export async function killProcessesOf(folder: string): Promise<void> {
  for (const { pid } of processesOf(folder)) signal(pid, 'SIGKILL');
  await noProcessesOf(folder);
}

function read(action: () => string): string {
  try {
    return action();
  } catch {
    return '';
  }
}

/** Whether there is such a process, be it one that has ended and that nobody has reaped yet. */
export const isRunning = (pid: number): boolean => read(() => String(process.kill(pid, 0))) !== '';

/** Whether a process ends soon: who was killed stays a zombie until its new parent looks. */
export const eventuallyGone = (pid: number): Promise<boolean> =>
  until(`process ${pid} to end`, () => !isRunning(pid), 5).catch(() => false);

/**
 * A process that has ended and that nobody reaps: a shell's child, whose parent has become a `sleep`, which never asks for its
 * children. Linux only. Kill the parent in the end.
 */
export async function makeZombie(): Promise<{ pid: number; parent: ChildProcess }> {
  for (;;) {
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 600']);
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (line: Buffer) => resolve(Number(line)));
    });
    while (isRunning(pid) && !isZombie(pid)) await pause(10);
    if (isRunning(pid)) return { pid, parent };
    // The child was faster than its shell became a sleep, and was reaped after all.
    parent.kill('SIGKILL');
  }
}
