import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kill } from './processes.ts';

/** What all processes of one run may use together; null: as much as there is. */
export type SandboxLimits = {
  readonly memoryBytes: number | null;
  /** At once; where a control group counts them, threads count, too. */
  readonly processes: number | null;
  /** Bytes that lie in the folders which it may write, as the disk counts them. */
  readonly diskBytes: number | null;
  readonly cpuSeconds: number | null;
};

/** The kernel's own account of one run: nothing that belongs to it can leave it. */
export type ControlGroup = {
  /** Folders of it, one a hierarchy; kept on disk, so that whoever comes later ends what is in there. */
  readonly folders: readonly string[];
  pids(): number[];
  /** null: this machine's groups do not count it here. */
  memoryExceeded(): boolean | null;
  processesExceeded(): boolean | null;
  cpuSeconds(): number | null;
};

type Hierarchy = { readonly folder: string; readonly unified: boolean };

/**
 * A control group with these limits, v2 or v1, as far as this process may make one; a program joins it by writing 0 to each
 * `cgroup.procs`. @returns null where it may make none
 */
export function createControlGroup(
  name: string,
  limits: SandboxLimits,
  roots = hierarchies(),
  make: (folder: string) => void = mkdirSync,
): ControlGroup | null {
  const own = `workledger-${name}-${randomBytes(4).toString('hex')}`;
  const made = roots.flatMap(({ folder, unified }) => {
    const group = join(folder, own);
    try {
      make(group);
      return [{ group, unified }];
    } catch {
      return [];
    }
  });
  if (made.length === 0) return null;
  const fileOf = (v2: string, v1: string): string | null => {
    const found = made.map(({ group, unified }) => join(group, unified ? v2 : v1));
    return found.find(existsSync) ?? null;
  };
  const bounded = (limit: number | null, file: string | null): boolean =>
    limit !== null && file !== null && set(file, limit);
  const memory = bounded(limits.memoryBytes, fileOf('memory.max', 'memory.limit_in_bytes'));
  const processes = bounded(limits.processes, fileOf('pids.max', 'pids.max'));
  // Where memory may go to a swap, it must not go there instead; a kernel that counts no swap has no such file.
  const swap = fileOf('memory.swap.max', 'memory.memsw.limit_in_bytes');
  if (memory && swap !== null) set(swap, swap.endsWith('swap.max') ? 0 : (limits.memoryBytes ?? 0));
  const killed = fileOf('memory.events', 'memory.oom_control');
  const refused = fileOf('pids.events', 'pids.events');
  const usage = fileOf('cpu.stat', 'cpuacct.usage');
  return {
    folders: made.map(({ group }) => group),
    pids: () => [...new Set(made.flatMap(({ group }) => pidsIn(group)))],
    memoryExceeded: () => (memory && killed !== null ? fieldOf(killed, 'oom_kill') > 0 : null),
    processesExceeded: () => (processes && refused !== null ? fieldOf(refused, 'max') > 0 : null),
    cpuSeconds: () => {
      if (usage === null) return null;
      return basename(usage) === 'cpu.stat' ? fieldOf(usage, 'usage_usec') / 1e6 : Number(read(usage)) / 1e9;
    },
  };
}

/** Kills whatever is in these groups and removes them. */
export async function endControlGroup(folders: readonly string[]): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const left = folders.flatMap(pidsIn);
    for (const pid of left) kill(pid);
    if (left.length === 0 && folders.every(removed)) return;
    await sleep(10);
  }
}

function removed(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch {
    return !existsSync(folder);
  }
}

const pidsIn = (folder: string): number[] =>
  read(join(folder, 'cgroup.procs'))
    .split('\n')
    .filter((line) => /^[1-9]\d*$/.test(line))
    .map(Number);

function set(file: string, value: number): boolean {
  try {
    writeFileSync(file, String(value));
    return true;
  } catch {
    return false;
  }
}

const fieldOf = (file: string, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(read(file))?.[1] ?? 0);

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

const CONTROLLERS = ['memory', 'pids', 'cpuacct'];
let found: readonly Hierarchy[] | undefined;

/** Where groups of this process may be made: its own group in each hierarchy of v1, beside itself in v2. */
function hierarchies(): readonly Hierarchy[] {
  found ??= look(read('/proc/self/cgroup'), read('/proc/self/mountinfo'));
  return found;
}

/** @param groups /proc/self/cgroup @param mounts /proc/self/mountinfo */
export function look(groups: string, mounts: string): Hierarchy[] {
  const mounted = mounts.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , options = ''] = after.split(' ');
    const [, , , root = '/', at = ''] = before.split(' ');
    return type.startsWith('cgroup') ? [{ type, options: options.split(','), root, at }] : [];
  });
  return groups.split('\n').flatMap((line): Hierarchy[] => {
    const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === '') return [];
    const controllers = names.split(',');
    const unified = names === '';
    const mount = mounted.find(({ type, options }) =>
      unified ? type === 'cgroup2' : type === 'cgroup' && controllers.every((name) => options.includes(name)),
    );
    if (mount === undefined || !(unified || controllers.some((name) => CONTROLLERS.includes(name)))) return [];
    const own = join(mount.at, path.startsWith(mount.root) ? path.slice(mount.root.length) : path);
    // A group of v2 that holds processes has no children with limits: they lie beside it.
    return [{ folder: unified && own !== mount.at ? dirname(own) : own, unified }];
  });
}
