import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { git } from './git.ts';

/** A setting of the user's own configuration, as `filter.lfs.clean` and its value. */
export type Setting = { readonly key: string; readonly value: string };

/** What a configuration includes from elsewhere is looked at again after so long. */
const KEPT_MILLISECONDS = 10_000;
let kept: { readonly of: string; readonly until: number; readonly settings: Promise<readonly Setting[]> } | null = null;

/** The folder of the user's own settings. */
export const userFolder = (): string => join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'git');

/** What the user told git, in all repositories. @throws GitFailure */
export async function userSettings(cwd: string): Promise<readonly Setting[]> {
  const files = [join(userFolder(), 'config'), join(homedir(), '.gitconfig')];
  const found = await Promise.all(files.map((file) => stat(file).catch(() => null)));
  const of = JSON.stringify([files, found.map((one) => one && [one.mtimeMs, one.size, one.ino])]);
  if (kept?.of !== of || kept.until < performance.now())
    kept = { of, until: performance.now() + KEPT_MILLISECONDS, settings: readSettings(cwd) };
  const { settings } = kept;
  settings.catch(() => {
    if (kept?.settings === settings) kept = null;
  });
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
