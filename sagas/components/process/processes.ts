import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { hostname } from 'node:os';
import { sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process for good: a pid alone may belong to another one later. */
export type ProcessIdentity = {
  readonly host: string;
  readonly pid: number;
  /** When it started, as this system tells it; null: the system does not tell. */
  readonly startedAt: string | null;
};

/** Identity of a process that runs now. */
export const identify = (pid: number): ProcessIdentity => ({ host: hostname(), pid, startedAt: startOf(pid) });

/** Whether exactly this process still runs on this machine. Not knowing (another machine) counts as false. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return identity.host === hostname() && identity.startedAt !== null && startOf(identity.pid) === identity.startedAt;
}

function startOf(pid: number): string | null {
  return process.platform === 'linux' ? startFromProc(pid) : startFromPs(pid);
}

function startFromProc(pid: number): string | null {
  const fields = statFields(pid);
  return fields === null ? null : `${bootId()}:${pidNamespace()}:${fields.startTime}`;
}

/** What `/proc/<pid>/stat` tells; null when there is no such process. */
export function statFields(
  pid: number | string,
): { state: string; parent: number; group: number; terminal: number; ticks: number; startTime: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      parent: Number(fields[1]),
      group: Number(fields[2]),
      terminal: Number(fields[4]),
      // Its own and those of the children that it waited for, in user and in system.
      ticks: fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0),
      startTime: fields[19] ?? '',
    };
  } catch {
    return null;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}

/** Containers of one machine share its boot, not their pids. */
function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    return '';
  }
}

function startFromPs(pid: number): string | null {
  try {
    const started = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', timeout: 2_000 });
    return started.trim() === '' ? null : started.trim();
  } catch {
    return null;
  }
}

const POLL_MS = 20;
/** How long the kernel may take to remove what was killed. */
const SETTLE_MS = 1_000;

/** Ends a whole process group: SIGTERM where it has a grace, and SIGKILL after it. Answers when nothing of it runs any more. */
export async function killGroup(group: number, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    if (!send(group, 'SIGTERM')) return;
    if (await gone(group, graceMs)) return;
  }
  send(group, 'SIGKILL');
  await gone(group, SETTLE_MS);
}

function send(group: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}

async function gone(group: number, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  for (;;) {
    if (!isAlive(group)) return true;
    if (performance.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

function isAlive(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || hasRunningMember(group);
}

/** A zombie still answers to a signal; where nobody reaps orphans it would do so for ever. */
function hasRunningMember(group: number): boolean {
  return readdirSync('/proc').some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const fields = statFields(name);
    return fields !== null && fields.group === group && !'ZX'.includes(fields.state);
  });
}

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

export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}

/** Whether it runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  const fields = statFields(pid);
  return fields !== null && !'ZX'.includes(fields.state);
}

/** Waits for the end of a process that need not be our child. @returns whether it came within the time */
export async function isGoneWithin(pid: number, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (isRunning(pid)) {
    if (performance.now() >= until) return false;
    await sleep(5);
  }
  return true;
}
