import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import { sharedFolder } from './folders.ts';
import { identify, isSameProcess } from './processes.ts';

const LOCK = 'lock.json';
const SHORTEST_MS = 10;
const LONGEST_MS = 500;

const holder = z.object({
  host: z.string(),
  pid: z.int(),
  startedAt: z.string().nullable(),
  /** One process may hold and wait at once. */
  token: z.string(),
});
type Holder = z.infer<typeof holder>;

/**
 * Does what disturbs its like, a measurement, while no other worker of this user on this machine does it. The lock is a file with
 * its holder in it; that of a process which is gone is taken over.
 * @param dataFolder where the lock lies when the machine's own place for it is somebody else's
 * @throws the signal's reason when it aborts while waiting
 */
export const aloneOnMachine = <Result>(
  dataFolder: string,
  signal: AbortSignal,
  action: () => Promise<Result>,
): Promise<Result> => aloneIn(sharedFolder('measuring') ?? join(dataFolder, 'measuring'), signal, action);

/** As `aloneOnMachine`, with the lock in this folder. */
export async function aloneIn<Result>(
  folder: string,
  signal: AbortSignal,
  action: () => Promise<Result>,
): Promise<Result> {
  mkdirSync(folder, { recursive: true });
  const token = randomUUID();
  for (let attempt = 1; !take(folder, token); attempt++) {
    signal.throwIfAborted();
    await pause(backOff(attempt, SHORTEST_MS, LONGEST_MS), signal);
  }
  try {
    signal.throwIfAborted();
    return await action();
  } finally {
    release(folder, token);
  }
}

/** Made whole elsewhere and then linked: the lock is there with its holder, or it is not. */
function take(folder: string, token: string): boolean {
  const own = join(folder, token);
  writeFileSync(own, JSON.stringify({ ...identify(process.pid), token } satisfies Holder), { mode: 0o600 });
  try {
    removeStale(folder, token);
    linkSync(own, join(folder, LOCK));
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Moved away before it is removed: of several that find it stale one has it, and it sees whether it has another's instead. */
function removeStale(folder: string, token: string): void {
  const lock = join(folder, LOCK);
  const found = read(lock);
  if (found === null || isSameProcess(found)) return;
  const away = join(folder, `${token}.stale`);
  try {
    renameSync(lock, away);
    if (read(away)?.token !== found.token) linkSync(away, lock);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  } finally {
    rmSync(away, { force: true });
  }
}

function release(folder: string, token: string): void {
  const lock = join(folder, LOCK);
  if (read(lock)?.token === token) rmSync(lock, { force: true });
}

function read(file: string): Holder | null {
  try {
    return holder.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    // Nobody writes such a lock: whose it is cannot be asked.
    return { host: '', pid: 0, startedAt: null, token: '' };
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
