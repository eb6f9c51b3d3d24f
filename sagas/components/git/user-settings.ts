import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { git } from './git.ts';

/** A setting of the user's own configuration, as `filter.lfs.clean` and its value. */
export type Setting = { readonly key: string; readonly value: string };

/** What a configuration includes from elsewhere is looked at again after ten seconds. */
const kept = new LRUCache<string, Promise<readonly Setting[]>>({ max: 100, ttl: 10_000 });

/** The folder of the user's own settings. */
export const userFolder = (): string => join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'git');

/** What the user told git for a repository, in files that are none of its own. @throws GitFailure */
export async function userSettings({ gitFolder }: { readonly gitFolder: string }): Promise<readonly Setting[]> {
  const files = [join(userFolder(), 'config'), join(homedir(), '.gitconfig')];
  const found = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  const of = JSON.stringify([gitFolder, files, found.map((one) => one && [one.mtimeMs, one.size, one.ino])]);
  const known = kept.get(of);
  if (known !== undefined) return known;
  const settings = readSettings(gitFolder);
  kept.set(of, settings);
  settings.catch(() => kept.delete(of));
  return settings;
}

async function readSettings(cwd: string): Promise<readonly Setting[]> {
  // Without a file of the user's own git has nothing to say.
  const { stdout } = await git(['config', '--global', '--includes', '-z', '--list'], { cwd, allow: [0, 1, 128] });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((entry) => entry.split('\n'))
    .map(([key = '', ...value]) => ({ key, value: value.join('\n') }));
}
