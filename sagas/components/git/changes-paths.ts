import { git } from './git.ts';
import { ensureCommits } from './commits.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/** Whether a commit differs from the base in a path that one of these pathspecs names. */
export async function changesPaths(
  mirror: Mirror,
  { taskId, commit, base }: { readonly taskId: string; readonly commit: string; readonly base: string },
  pathspecs: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  await ensureCommits(mirror, taskId, [commit, base], signal);
  const args = [
    'diff',
    '--quiet',
    '--no-ext-diff',
    '--no-textconv',
    asCommit(base),
    asCommit(commit),
    '--',
    ...pathspecs,
  ];
  const { exitCode } = await git(args, { cwd: mirror.gitFolder, signal, allow: [0, 1] });
  return exitCode === 1;
}
