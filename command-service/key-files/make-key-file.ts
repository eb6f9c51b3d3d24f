import { link, mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { newId } from '@workledger/shared/contexts/stream.ts';
import { newApiKey } from '@workledger/shared/security/api-key.ts';

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
