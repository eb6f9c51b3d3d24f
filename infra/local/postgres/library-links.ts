import { readFile, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';

type Link = { readonly source: string; readonly target: string };

/**
 * Makes the links between library names that the package's install script makes: npm may have blocked it. Links that stand stay.
 * @param native the folder with `bin`, `lib`, `share` and `pg-symlinks.json`
 */
export async function linkLibraries(native: string): Promise<void> {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(listed) as Link[]) {
    const link = join(native, relative('native', target));
    const from = join(dirname(source), basename(source));
    await symlink(relative(dirname(target), from), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
