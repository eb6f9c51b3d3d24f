import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { packagedBinaries } from '../../local/postgres/binaries.ts';

/** Makes temporary folders that are removed after each test of the file. */
export function temporaryFolders(): (mode?: number) => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  return async (mode = 0o755) => {
    const folder = await mkdtemp(join(tmpdir(), 'workledger-postgres-'));
    await chmod(folder, mode);
    made.push(folder);
    return folder;
  };
}

/** A copy of PostgreSQL's programs as npm leaves them when it blocks install scripts: without the libraries' links. */
export async function copyWithoutLinks(folder: string): Promise<string> {
  const native = join(folder, 'native');
  await mkdir(native);
  await cp(packagedBinaries().native, native, {
    recursive: true,
    verbatimSymlinks: true,
    filter: async (path) => !(await lstat(path)).isSymbolicLink(),
  });
  return native;
}

/** Whether the libraries' links stand in a folder with `lib`. */
export const hasLinks = async (native: string): Promise<boolean> =>
  (await readdir(join(native, 'lib'), { withFileTypes: true })).some((entry) => entry.isSymbolicLink());
