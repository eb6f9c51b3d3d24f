import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { isZombie } from '../is-zombie.ts';

/**
 * A process that has ended and that nobody reaps: a shell's child, whose parent has become a `sleep`, which never asks for its
 * children. Linux only. Kill the parent in the end.
 */
export async function makeZombie(): Promise<{ pid: number; parent: ChildProcess }> {
  const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 600']);
  const pid = await new Promise<number>((resolve) => {
    parent.stdout.once('data', (line: Buffer) => resolve(Number(line)));
  });
  while (!isZombie(pid)) await sleep(10);
  return { pid, parent };
}
