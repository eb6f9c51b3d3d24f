import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkout } from './checkout.ts';
import { namesIn } from './commits.ts';
import { git, type GitOptions, gitText } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';
import { userFolder, userSettings } from './user-settings.ts';

/** What programs leave beside their work, as lines of a .gitignore. Only new files are litter: what is tracked is work. */
const LITTER = [
  // Agents' own notes and settings.
  ...['.aider*', '.claude/settings.local.json', '.claude/todos/', '.claude/worktrees/', '.codex/', '.gemini/tmp/'],
  ...['.gemini/logs/', '.cursor/logs/', '.cursor/chats/', '.specstory/', '.opencode/', '.goose/', '.crush/'],
  // Editors, merges, systems.
  ...['*.orig', '*.rej', '*~', '.*.sw[op]', '.DS_Store', 'Thumbs.db', 'desktop.ini', '.nfs*', 'core.[0-9]*'],
  // Caches of tools.
  ...['__pycache__/', '.pytest_cache/', '.mypy_cache/', '.ruff_cache/', '.hypothesis/', '.coverage', '.nyc_output/'],
  ...['node_modules/.cache/', '.npm/', '.eslintcache', '.turbo/', '.parcel-cache/', 'npm-debug.log*'],
];

/** A path of the repository as a line of a .gitignore. */
export const asIgnored = (path: string): string => `/${path.replaceAll(/[\\*?[\]!# ]/g, '\\$&')}`;

/**
 * Lets git leave litter out, and what the user's own git ignores.
 * @param more lines of a .gitignore, after the usual ones: `!` takes back
 * @returns settings for git, to stand before its command; the file with litter alone
 */
export async function ignoringLitter(
  { notes, mirror }: Checkout,
  more: readonly string[],
): Promise<{ readonly settings: readonly string[]; readonly file: string }> {
  const litter = [...LITTER, ...more, ''].join('\n');
  const [file, all] = [join(notes, 'litter'), join(notes, 'ignored')];
  await writeFile(file, litter);
  await writeFile(all, `${litter}${await ignoredByUser(mirror)}`);
  return { settings: ['-c', `core.excludesFile=${all}`], file };
}

async function ignoredByUser(mirror: Mirror): Promise<string> {
  const isNamed = (await userSettings(mirror)).some(({ key }) => key === 'core.excludesfile');
  const file = isNamed ? await namedByUser(mirror) : join(userFolder(), 'ignore');
  return readFile(file, 'utf8').catch(() => '');
}

/** Git knows what `~` and `%(prefix)` stand for. */
const namedByUser = ({ gitFolder }: Mirror): Promise<string> =>
  gitText(['config', '--global', '--includes', '--type=path', '--get', 'core.excludesFile'], { cwd: gitFolder });

/** Takes litter that a program committed by itself out of the index: what the parent does not have. */
export async function dropLitter(at: GitOptions, parent: string, file: string): Promise<void> {
  const { stdout } = await git(['ls-files', '-z', '--cached', '--ignored', `--exclude-from=${file}`], at);
  const found = namesIn(stdout);
  if (found.length === 0) return;
  const added = await git(['diff-index', '--cached', '--diff-filter=A', '--name-only', '-z', asCommit(parent)], at);
  const isNew = new Set(namesIn(added.stdout).map((name) => name.toString('latin1')));
  const litter = found.filter((name) => isNew.has(name.toString('latin1')));
  const stdin = Buffer.concat(litter.flatMap((name) => [name, Buffer.from('\0')]));
  await gitText(['update-index', '--force-remove', '-z', '--stdin'], { ...at, stdin });
}
