import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

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
  for (let look = 0; look < 200; look++) {
    if (processesOf(folder).length === 0) return;
    await pause(50);
  }
  throw new Error(`still running: ${JSON.stringify(processesOf(folder))}`);
}

/** Kills what a test left behind in its folder. */
export async function killProcessesOf(folder: string): Promise<void> {
  for (const { pid } of processesOf(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
  await noProcessesOf(folder);
}

function read(action: () => string): string {
  try {
    return action();
  } catch {
    return '';
  }
}
