import { chmod, lstat, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killProcessesOf } from './processes.ts';

/** A new folder that PostgreSQL's user may pass through, too. */
export async function temporaryFolder(purpose: string, mode = 0o755): Promise<string> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), `workledger-${purpose}-`));
  await chmod(folder, mode);
  return folder;
}

export const removeFolder = (folder: string): Promise<void> =>
  rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });

/** What group or others may read or write below a folder, with its mode: `path 644`. */
export async function openToOthers(folder: string): Promise<{ readonly looked: number; readonly open: string[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = [folder, ...entries.filter((entry) => !entry.isSymbolicLink()).map(({ parentPath, name }) => join(parentPath, name))]; // prettier-ignore
  const found = await Promise.all(
    paths.map(async (path) => {
      const mode = (await lstat(path)).mode & 0o777;
      return (mode & 0o066) === 0 ? [] : [`${path} ${mode.toString(8)}`];
    }),
  );
  return { looked: paths.length, open: found.flat() };
}

export type SystemFolder = { readonly path: string; remove(): Promise<void> };

/** A folder for a whole system; its removal ends every process that still works in it. */
export async function systemFolder(): Promise<SystemFolder> {
  const path = await temporaryFolder('local');
  return {
    path,
    remove: async () => {
      await killProcessesOf(path);
      await removeFolder(path);
    },
  };
}
