import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Workers of one machine may have data folders of their own. Each leaves its path here, so that whoever takes over a piece of work
 * finds what a killed worker left of it in another folder. In a container this is the container's own.
 */
const register = (): string => join(tmpdir(), `workledger-${userInfo().uid}`);

const remembered = new Set<string>();

/** A folder of this user's on this machine that all workers share, for what they must agree on; null: somebody else holds its name. */
export function sharedFolder(name: string): string | null {
  const folder = `${register()}-${name}`;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return isOurs(folder) ? folder : null;
}

/** Tells the other workers of this user on this machine that attempts are recorded in this folder. */
export function rememberDataFolder(dataFolder: string): void {
  if (remembered.has(dataFolder)) return;
  mkdirSync(register(), { recursive: true, mode: 0o700 });
  if (!isOurs(register())) return;
  writeFileSync(join(register(), createHash('sha256').update(dataFolder).digest('hex').slice(0, 24)), dataFolder);
  remembered.add(dataFolder);
}

/** Data folders on this machine beside this one; those that are gone are forgotten. */
export function otherDataFolders(dataFolder: string): string[] {
  if (!existsSync(register()) || !isOurs(register())) return [];
  return readdirSync(register()).flatMap((name) => {
    const file = join(register(), name);
    const folder = read(file);
    if (folder === dataFolder) return [];
    if (folder !== null && isAbsolute(folder) && existsSync(folder)) return [folder];
    rmSync(file, { force: true });
    return [];
  });
}

/** Somebody else's folder of that name must not tell us what to end and to remove. */
function isOurs(folder: string): boolean {
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === userInfo().uid && (found.mode & 0o077) === 0;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

/** Removes a folder with everything in it, also what a program made read-only. */
export async function removeFolder(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  } catch {
    await makeWritable(folder);
    await rm(folder, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  }
}

async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(join(folder, entry.name));
}
