import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, kill, statFields } from './processes.ts';

/** Tells whose process it is, also of one that left its group, its session and its folder. */
export const MARK = 'WORKLEDGER_ATTEMPT';

/** All that descends from a process, itself included, and all that carries the mark. Only where there is /proc. */
export function treeOf(pid: number, mark?: string): number[] {
  const all = pids();
  const children = new Map<number, number[]>();
  for (const one of all) {
    const parent = statFields(one)?.parent;
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), one]);
  }
  const found = new Set([pid, ...(mark === undefined ? [] : all.filter((one) => isMarked(one, mark)))]);
  for (const one of found) for (const child of children.get(one) ?? []) found.add(child);
  return [...found].filter((one) => statFields(one) !== null);
}

/** Kills what carries the mark, also what it starts meanwhile. @returns how many were killed */
export async function killMarked(mark: string): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < 50; round++) {
    const found = pids().filter((pid) => pid !== process.pid && isMarked(pid, mark) && isRunning(pid));
    if (found.length === 0) break;
    for (const pid of found) {
      killed.add(pid);
      kill(pid);
    }
    await sleep(10);
  }
  return killed.size;
}

const isMarked = (pid: number, mark: string): boolean =>
  `\0${read(`/proc/${pid}/environ`)}`.includes(`\0${MARK}=${mark}\0`);

const pids = (): number[] =>
  process.platform === 'linux' ? readdirSync('/proc').map(Number).filter(Number.isInteger) : [];

/** Bytes of memory that only these processes hold. */
export const memoryOf = (tree: readonly number[]): number =>
  tree.reduce((sum, pid) => {
    const status = read(`/proc/${pid}/status`);
    return sum + 1_024 * (numberAfter(status, 'RssAnon:') + numberAfter(status, 'RssShmem:'));
  }, 0);

/** Seconds of CPU, with those of the children that were waited for. */
export const cpuSecondsOf = (tree: readonly number[]): number =>
  tree.reduce((sum, pid) => sum + (statFields(pid)?.ticks ?? 0), 0) / 100;

/** Bytes that these processes and their ended children wrote to a disk. */
export const writtenBy = (tree: readonly number[]): number =>
  tree.reduce((sum, pid) => sum + numberAfter(read(`/proc/${pid}/io`), '\nwrite_bytes:'), 0);

function numberAfter(text: string, name: string): number {
  const at = text.indexOf(name);
  return at < 0 ? 0 : Number.parseInt(text.slice(at + name.length), 10);
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
