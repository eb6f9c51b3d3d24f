import type { Commands } from '@workledger/shared/commands/port.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import type { KeyEvent, Role } from '@workledger/shared/contexts/agent/key/events.ts';
import { newId, streamId } from '@workledger/shared/contexts/stream.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import {
  hashSecret,
  newApiKey,
  parseApiKey,
  secretMatches,
  KEY_FILE_REMEDY,
  readKeyFile,
} from '@workledger/shared/security/api-key.ts';
import { newMacKey, type KeyMacs } from '@workledger/shared/security/key-macs.ts';
import type { KeyStore, StoredKey } from '@workledger/shared/security/key-store.ts';
import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a file with a new API key, for its owner's eyes only (mode 0600), unless there is a file of this name: that one is never
 * touched. The file is there whole or not at all; of several makers at once one wins. The log does not know the key yet.
 * @param macs of the system that is to accept it @returns whether it was made
 */
export const makeKeyFile = (file: string, macs?: KeyMacs): Promise<boolean> =>
  makeSecretFile(file, () => newApiKey(newId(), macs).key);

/** Makes a file with a new MAC key in the same way. @returns whether it was made */
export const makeMacKeyFile = (file: string): Promise<boolean> => makeSecretFile(file, newMacKey);

async function makeSecretFile(file: string, make: () => string): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${newId()}`;
  try {
    await writeDurably(draft, `${make()}\n`);
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
 * Makes sure that the log knows the keys in these files, each under its role. Several instances may do so at once. Where the first
 * administrator's key is a new one, those that had its place are revoked, before it is made known: killed in between, the next start
 * goes on.
 * @throws Error with one line that names the file and the remedy: no key in it, or one that opens nothing, or has another role
 */
export async function registerKeyFiles(
  { adminKeyFile, serviceKeyFile }: KeyFiles,
  commands: Commands,
  keys: KeyStore,
  log: Pick<EventLog, 'readAll'>,
): Promise<void> {
  if (adminKeyFile !== undefined) await register(adminKeyFile, 'admin', 'first administrator', commands, keys, log);
  if (serviceKeyFile !== undefined) await register(serviceKeyFile, 'service', 'services', commands, keys, null);
}

/** @param log where those are found that this one takes the place of; null: it takes nobody's */
async function register(
  file: string,
  role: Role,
  name: string,
  commands: Commands,
  keys: KeyStore,
  log: Pick<EventLog, 'readAll'> | null,
): Promise<void> {
  const { keyId, secret, signed, mac } = parseApiKey(await readKeyFile(file))!;
  const macKey = mac === null ? null : keys.macs.madeUnder(signed, mac);
  if (mac !== null && macKey === null) throw fault(file, 'this key was made under a MAC key that is not in use');
  const known = await keys.find(keyId);
  if (known !== null) return demandSame(file, role, secret, known);
  if (log !== null) await revokeOthers(keyId, role, name, commands, log);
  const data = { name, role, secretHash: hashSecret(secret), macKey };
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
  const found = faultOf(role, secret, known);
  if (found !== null) throw fault(file, found);
}

const fault = (file: string, what: string): Error =>
  new Error(`${file}: ${what}: remove the file where it is used, and ${KEY_FILE_REMEDY}`);

/** What a start made under this name before. Read from the log: it is done seldom, and must miss none. */
async function revokeOthers(
  keyId: string,
  role: Role,
  name: string,
  commands: Commands,
  log: Pick<EventLog, 'readAll'>,
): Promise<void> {
  for await (const event of log.readAll({ streams: ['key'], types: ['KeyCreated'] })) {
    const data = upcast(event).data as Extract<KeyEvent, { type: 'KeyCreated' }>['data'];
    const target = streamId(event.stream);
    const isOther = event.metadata.actor === 'system' && data.role === role && data.name === name && target !== keyId;
    if (!isOther) continue;
    const reason = 'its file was lost or replaced: a new key took its place';
    await commands.send({ type: 'key.revoke', target, data: { reason } }, { actor: 'system', correlationId: newId() });
  }
}

function faultOf(role: Role, secret: string, known: StoredKey | null): string | null {
  if (known === null) return 'the event log does not show the key that was just written';
  if (known.secretHash === null || !secretMatches(secret, known.secretHash))
    return 'the event log knows another secret under the id of this key';
  if (known.revoked) return 'this key was revoked';
  return known.role === role ? null : `this is a key of role ${known.role}, not ${role}`;
}
