import { rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { GitFailure } from './git.ts';

const LOCKED = /\.lock': File exists|cannot lock ref|could not lock config/;
const LOCK_FILE = /Unable to create '([^']+\.lock)'/;
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
      if (!(error instanceof GitFailure) || !LOCKED.test(error.stderr) || attempt === TRIES) throw error;
      const file = LOCK_FILE.exec(error.stderr)?.[1];
      if (file !== undefined) await removeStale(file);
      await sleep(PAUSE_MS * (0.75 + Math.random() / 2));
    }
  }
}

async function removeStale(lock: string): Promise<void> {
  const found = await stat(lock).catch(() => null);
  if (found !== null && Date.now() - found.mtimeMs > STALE_MS) await rm(lock, { force: true });
}
