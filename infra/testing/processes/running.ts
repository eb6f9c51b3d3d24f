import { setTimeout as sleep } from 'node:timers/promises';

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return true;
}

/** Whether a process ends soon: who was killed stays a zombie until its new parent looks. */
export async function eventuallyGone(pid: number): Promise<boolean> {
  for (let tries = 0; tries < 250 && isRunning(pid); tries++) await sleep(20);
  return !isRunning(pid);
}
