import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Commands } from '@workledger/shared/commands/port.ts';
import { newId } from '@workledger/shared/events/stream.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';

export type AdminKey = { readonly key: string; readonly file: string };

/**
 * The administrator's key: the one in `<folder>/admin-key`, or a new one, written there for the owner's eyes only (mode 0600).
 * A file that was removed is not brought back: a new key takes its place.
 */
export async function ensureAdminKey(folder: string, commands: Commands): Promise<AdminKey> {
  const file = join(folder, 'admin-key');
  const existing = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (existing !== null) return { key: existing.trim(), file };
  const id = newId();
  const { key, secretHash } = newApiKey(id);
  const data = { name: 'first administrator', role: 'admin', secretHash };
  await commands.send({ type: 'key.create', target: id, data }, { actor: 'system', correlationId: newId() });
  await writeFile(file, `${key}\n`, { mode: 0o600 });
  await chmod(file, 0o600);
  return { key, file };
}
