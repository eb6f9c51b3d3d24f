import { rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GitFailure } from './git.ts';

const LOCK = /Unable to create '([^']+\.lock)'|cannot lock ref|could not lock config|is being used|already locked/;
const TRIES = 40;
const PAUSE_MS = 100;
/** Git holds its locks for milliseconds; one so old belongs to a process that was killed. */
const STALE_MS = 60_000;

/** Runs a git action again while another process holds a lock of the same repository, for about five seconds. */
export async function despiteLocks<Result>(action: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const lock = error instanceof GitFailure ? LOCK.exec(error.stderr) : null;
      if (lock === null || attempt === TRIES) throw error;
      if (lock[1] !== undefined) await removeStale(lock[1]);
      await sleep(PAUSE_MS * (0.75 + Math.random() / 2));
    }
  }
}

async function removeStale(lock: string): Promise<void> {
  const found = await stat(lock).catch(() => null);
  if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(lock, { force: true });
}
