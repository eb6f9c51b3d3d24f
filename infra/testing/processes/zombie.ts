import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isZombie } from '../../local/stop-process.ts';

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
    while (isThere(pid) && !isZombie(pid)) await sleep(10);
    if (isThere(pid)) return { pid, parent };
    // The child was faster than its shell became a sleep, and was reaped after all.
    parent.kill('SIGKILL');
  }
}

const isThere = (pid: number): boolean => existsSync(`/proc/${pid}`);
