import { statfsSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlGroup, SandboxLimits } from './control-group.ts';
import { cpuSecondsOf, memoryOf, treeOf, writtenBy } from './tree.ts';

export type Watched = {
  /** The first process; the others descend from it. */
  readonly pid: number;
  /** Also theirs: what has this mark in its environment. */
  readonly mark: string | undefined;
  readonly group: ControlGroup | null;
  /** Absolute; their size counts. */
  readonly folders: readonly string[];
};

export type Watch = {
  /** Which limit is exceeded, as soon as one is: `memory: 4 GiB`. */
  readonly exceeded: Promise<string>;
  /** Looks a last time, after the end, and stops. */
  stop(): Promise<string | null>;
};

const EVERY_MILLISECONDS = 500;

/**
 * Looks twice a second whether a run is over one of its limits: at what its control group counted, and for what that does not count
 * at the processes themselves.
 */
export function watchLimits(limits: SandboxLimits, { pid, mark, group, folders }: Watched): Watch {
  const { memoryBytes, processes, diskBytes, cpuSeconds } = limits;
  const disk = diskBytes === null ? null : createDiskMeter(diskBytes, folders);
  const look = async (): Promise<string | null> => {
    const tree = group?.pids() ?? treeOf(pid, mark);
    if (memoryBytes !== null && (group?.memoryExceeded() ?? memoryOf(tree) > memoryBytes))
      return `memory: ${bytesText(memoryBytes)}`;
    if (processes !== null && (group?.processesExceeded() ?? tree.length > processes)) return `processes: ${processes}`;
    if (cpuSeconds !== null && (group?.cpuSeconds() ?? cpuSecondsOf(tree)) > cpuSeconds)
      return `CPU time: ${cpuSeconds} s`;
    if (diskBytes !== null && (await disk?.(writtenBy(tree))) === true) return `disk: ${bytesText(diskBytes)}`;
    return null;
  };
  const stopping = new AbortController();
  const { signal } = stopping;
  let looking: Promise<string | null> = Promise.resolve(null);
  const exceeded = new Promise<string>((resolve) => {
    const loop = async (): Promise<void> => {
      while (!signal.aborted) {
        looking = look();
        const over = await looking;
        if (over !== null) return resolve(over);
        await sleep(EVERY_MILLISECONDS, undefined, { signal, ref: false }).catch(() => undefined);
      }
    };
    void loop();
  });
  return {
    exceeded,
    stop: async () => {
      stopping.abort();
      return (await looking) ?? look();
    },
  };
}

/**
 * Whether the folders hold more than the limit. They are walked through only when as much as is still free of the limit was written since the last
 * walk, or has gone from the disk (space can be taken without a write, and in memory none is counted), so a run that writes little is
 * never walked. What others give back hides nothing that was taken between two other looks.
 */
export function createDiskMeter(
  limit: number,
  folders: readonly string[],
  { free = freeBytes, size = sizeOf }: { free?: typeof freeBytes; size?: typeof sizeOf } = {},
): (written: number) => Promise<boolean> {
  let room = limit;
  let walkedAt = 0;
  let left = free(folders);
  let gone = 0;
  return async (written) => {
    const now = free(folders);
    gone += Math.max(0, left - now);
    left = now;
    if (Math.max(written - walkedAt, gone) < room) return false;
    const held = await size(folders);
    walkedAt = written;
    gone = 0;
    // Others use the disk as well: near the limit not every byte of theirs is a reason to walk.
    room = Math.max(limit - held, limit / 64);
    return held > limit;
  };
}

function freeBytes([folder]: readonly string[]): number {
  if (folder === undefined) return 0;
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** Bytes on the disk of all files in here; a link is not followed. */
async function sizeOf(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const path = join(folder, entry.name);
      bytes += entry.isDirectory() ? await sizeOf([path]) : 512 * ((await lstat(path).catch(() => null))?.blocks ?? 0);
    }
  }
  return bytes;
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `4 GiB`, `1.5 MiB`. */
export function bytesText(bytes: number): string {
  const unit = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1_024 ** unit).toFixed(1))} ${UNITS[unit]}`;
}
