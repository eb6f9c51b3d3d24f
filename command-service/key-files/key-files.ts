import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId } from '@workledger/shared/contexts/stream.ts';
import {
  hashSecret,
  newApiKey,
  parseApiKey,
  secretMatches,
  KEY_FILE_REMEDY,
  readKeyFile,
} from '@workledger/shared/security/api-key.ts';
import type { KeyStore, StoredKey } from '@workledger/shared/security/key-store.ts';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file with a new API key, for its owner's eyes only (mode 0600), unless there is a file of this name: that one is never
 * touched. The file is there whole or not at all; of several makers at once one wins. The log does not know the key yet.
 * @returns whether it was made
 */
export async function makeKeyFile(file: string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const id = newId();
  const draft = `${file}.${id}`;
  try {
    await writeDurably(draft, `${newApiKey(id).key}\n`);
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw new Error(`${file}: cannot be made: ${(error as Error).message}`, { cause: error });
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export type KeyFiles = {
  readonly adminKeyFile?: string | undefined;
  readonly serviceKeyFile?: string | undefined;
};

/**
 * Makes sure that the log knows the keys in these files, each under its role. Several instances may do so at once.
 * @throws Error with one line that names the file and the remedy: no key in it, or one that opens nothing, or has another role
 */
export async function registerKeyFiles(
  { adminKeyFile, serviceKeyFile }: KeyFiles,
  commands: Commands,
  keys: KeyStore,
): Promise<void> {
  if (adminKeyFile !== undefined) await register(adminKeyFile, 'admin', 'first administrator', commands, keys);
  if (serviceKeyFile !== undefined) await register(serviceKeyFile, 'service', 'services', commands, keys);
}

async function register(file: string, role: Role, name: string, commands: Commands, keys: KeyStore): Promise<void> {
  const { keyId, secret } = parseApiKey(await readKeyFile(file))!;
  const known = await keys.find(keyId);
  if (known !== null) return demandSame(file, role, secret, known);
  const data = { name, role, secretHash: hashSecret(secret) };
  try {
    await commands.send({ type: 'key.create', target: keyId, data }, { actor: 'system', correlationId: newId() });
  } catch (error) {
    // Another instance was first.
    if (!(error instanceof CommandRefused && error.code === 'already-exists')) throw error;
  }
  keys.forget(keyId);
  demandSame(file, role, secret, await keys.find(keyId));
}

function demandSame(file: string, role: Role, secret: string, known: StoredKey | null): void {
  const fault = faultOf(role, secret, known);
  if (fault !== null) throw new Error(`${file}: ${fault}: remove the file where it is used, and ${KEY_FILE_REMEDY}`);
}

function faultOf(role: Role, secret: string, known: StoredKey | null): string | null {
  if (known === null) return 'the event log does not show the key that was just written';
  if (!secretMatches(secret, known.secretHash)) return 'the event log knows another secret under the id of this key';
  if (known.revoked) return 'this key was revoked';
  return known.role === role ? null : `this is a key of role ${known.role}, not ${role}`;
}
