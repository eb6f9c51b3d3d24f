import { readFile } from 'node:fs/promises';
import { parseApiKey } from './api-key.ts';

/** How to make what is missing; stands in every message about key files. */
export const KEY_FILE_REMEDY =
  'make one with "node --import tsx command-service/key-files/make-key-files.program.ts" (--help tells how)';

/**
 * The API key that a file holds.
 * @throws Error with one line that names the file and the remedy, never what is in it
 */
export async function readKeyFile(file: string): Promise<string> {
  const key = (await readFile(file, 'utf8').catch(cannotRead(file))).trim();
  if (parseApiKey(key) === null)
    throw new Error(`${file}: this is no API key: remove the file, and ${KEY_FILE_REMEDY}`);
  return key;
}

const cannotRead =
  (file: string) =>
  (error: NodeJS.ErrnoException): never => {
    const remedies: Readonly<Record<string, string>> = {
      ENOENT: `there is no such file: ${KEY_FILE_REMEDY}`,
      EACCES: 'this user may not read it: run as the user that made it, or change its owner',
      EISDIR: 'this is a folder: name the file in it',
    };
    throw new Error(`${file}: ${remedies[error.code ?? ''] ?? error.message}`, { cause: error });
  };
