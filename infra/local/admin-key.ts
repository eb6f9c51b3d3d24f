import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeKeyFile, registerKeyFiles } from '@workledger/command-service/key-files/key-files.ts';
import type { Commands } from '@workledger/shared/commands/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { Problem } from '@workledger/shared/http/problem.ts';
import { readKeyFile } from '@workledger/shared/security/api-key.ts';
import { authenticateWith } from '@workledger/shared/security/authenticate.ts';
import type { KeyStore } from '@workledger/shared/security/key-store.ts';

export type AdminKey = {
  readonly key: string;
  readonly file: string;
  /** There was a key in the file, but it opens nothing: unknown to this log, revoked, or not an administrator's. */
  readonly replaced: boolean;
};

/**
 * The administrator's key: the one in `<folder>/admin-key` if it is valid, or a new one, written there for the owner's eyes only
 * (mode 0600). A file that was removed is not brought back: a new key takes its place, and what was in it is revoked.
 */
export async function ensureAdminKey(
  folder: string,
  commands: Commands,
  keys: KeyStore,
  log: EventLog,
): Promise<AdminKey> {
  const file = join(folder, 'admin-key');
  const kept = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (kept !== null && (await isAdministrators(kept.trim(), keys))) return { key: kept.trim(), file, replaced: false };
  // A new file, so that nobody who could read the old one can read this.
  await rm(file, { force: true });
  await makeKeyFile(file, keys.macs);
  await registerKeyFiles({ adminKeyFile: file }, commands, keys, log);
  return { key: await readKeyFile(file), file, replaced: kept !== null };
}

async function isAdministrators(key: string, keys: KeyStore): Promise<boolean> {
  try {
    return (await authenticateWith(keys)(`Bearer ${key}`)).role === 'admin';
  } catch (error) {
    if (error instanceof Problem && error.code === 'unauthenticated') return false;
    throw error;
  }
}
