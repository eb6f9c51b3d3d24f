import { cp, lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { removeFolder, temporaryFolder } from '../../testing/processes/folder.ts';
import { query } from '../../testing/servers/database.ts';
import { packagedBinaries } from './binaries.ts';

/** Leaves a mark that must be found again. */
export const leaveMark = (url: string): Promise<unknown> =>
  query(url, 'create table if not exists marks (id serial); insert into marks default values');

/** How many marks are there. */
export const countMarks = async (url: string): Promise<number> =>
  Number((await query(url, 'select count(*) from marks'))[0]?.['count']);

/** Makes temporary folders that are removed after each test of the file. */
export function temporaryFolders(): (mode?: number) => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await removeFolder(folder);
  });
  return async (mode = 0o755) => {
    const folder = await temporaryFolder('postgres', mode);
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
