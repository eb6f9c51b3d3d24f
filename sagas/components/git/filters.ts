import { git } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/** A setting of the user's own configuration, as `filter.lfs.clean` and its value. */
export type Setting = { readonly key: string; readonly value: string };

/** The filters that the user's own git knows: a clone would use them. @throws GitFailure */
export async function configuredFilters(cwd: string): Promise<Setting[]> {
  const args = ['config', '--global', '--includes', '-z', '--get-regexp', '^filter\\.'];
  // Without a file of the user's own, and without any filter in it, git has nothing to say.
  const { stdout } = await git(args, { cwd, allow: [0, 1, 128] });
  return stdout
    .toString('utf8')
    .split('\0')
    .filter(Boolean)
    .map((entry) => ({ key: entry.slice(0, entry.indexOf('\n')), value: entry.slice(entry.indexOf('\n') + 1) }));
}

/** What a commit's files rely on beside git itself. */
export type Needs = {
  /** Filters that its `.gitattributes` name and nobody configured here. */
  readonly missingFilters: readonly string[];
  readonly submodules: boolean;
};

/** Git LFS: without it files are pointers, and what is added is the file itself. */
export const LFS = 'lfs';

export async function needsOf({ gitFolder }: Mirror, commit: string, signal?: AbortSignal): Promise<Needs> {
  const at = { cwd: gitFolder, signal };
  const attributes = [':(glob)**/.gitattributes', ':(glob).gitattributes'];
  const args = ['grep', '--no-color', '-h', '-I', '-E', '-e', '(^|[[:space:]])filter=', asCommit(commit), '--'];
  const lines = (await git([...args, ...attributes], { ...at, allow: [0, 1] })).stdout.toString('utf8').split('\n');
  const named = lines.flatMap((line) => /(?:^|\s)filter=(\S+)/.exec(line.startsWith('#') ? '' : line)?.[1] ?? []);
  const known = new Set((await configuredFilters(gitFolder)).map(({ key }) => key.split('.').slice(1, -1).join('.')));
  const { stdout } = await git(['ls-tree', asCommit(commit), '--', '.gitmodules'], at);
  return { missingFilters: [...new Set(named)].filter((name) => !known.has(name)), submodules: stdout.length > 0 };
}

/** What must be installed before work makes sense; null: nothing. */
export const missingLfs = ({ missingFilters }: Needs): string | null =>
  missingFilters.includes(LFS)
    ? 'its files are kept with Git LFS, which is not set up here: install git-lfs and run "git lfs install"'
    : null;
