import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

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
): { state: string; parent: number; group: number; terminal: number; startTime: string } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      state: fields[0] ?? '',
      parent: Number(fields[1]),
      group: Number(fields[2]),
      terminal: Number(fields[4]),
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
