import { git } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';
import { userSettings, type Setting } from './user-settings.ts';

/** The filters that the user's own git knows: a clone would use them. @throws GitFailure */
export const configuredFilters = async (mirror: Pick<Mirror, 'gitFolder'>): Promise<Setting[]> =>
  (await userSettings(mirror)).filter(({ key }) => key.startsWith('filter.'));

/** What a commit's files rely on beside git itself. */
export type Needs = {
  /** Filters that its `.gitattributes` name and nobody configured here. */
  readonly missingFilters: readonly string[];
  readonly submodules: boolean;
};

/** Git LFS: without it files are pointers, and what is added is the file itself. */
export const LFS = 'lfs';

export async function needsOf(mirror: Mirror, commit: string, signal?: AbortSignal): Promise<Needs> {
  const at = { cwd: mirror.gitFolder, signal };
  const { stdout } = await git(['ls-tree', '-r', '-z', '--name-only', '--full-tree', asCommit(commit)], at);
  const paths = stdout.toString('utf8').split('\0');
  const submodules = paths.includes('.gitmodules');
  if (!paths.some((path) => /(^|\/)\.gitattributes$/.test(path))) return { missingFilters: [], submodules };
  const attributes = [':(glob)**/.gitattributes', ':(glob).gitattributes'];
  const args = ['grep', '--no-color', '-h', '-I', '-E', '-e', '(^|[[:space:]])filter=', asCommit(commit), '--'];
  const lines = (await git([...args, ...attributes], { ...at, allow: [0, 1] })).stdout.toString('utf8').split('\n');
  const named = lines.flatMap((line) => /(?:^|\s)filter=(\S+)/.exec(line.startsWith('#') ? '' : line)?.[1] ?? []);
  const known = new Set((await configuredFilters(mirror)).map(({ key }) => key.split('.').slice(1, -1).join('.')));
  return { missingFilters: [...new Set(named)].filter((name) => !known.has(name)), submodules };
}

/** What must be installed before work makes sense; null: nothing. */
export const missingLfs = ({ missingFilters }: Needs): string | null =>
  missingFilters.includes(LFS)
    ? 'its files are kept with Git LFS, which is not set up here: install git-lfs and run "git lfs install"'
    : null;
