import { git, gitText } from './git.ts';
import { asCommit } from './names.ts';
import { inWorktree, type Worktree } from './worktree.ts';

export type Rebased = { readonly commit: string } | { readonly conflict: string };

/** Replays from..to onto another commit inside a worktree that stands at `to`. @throws GitFailure */
export async function rebaseOnto(
  worktree: Worktree,
  options: { from: string; onto: string; signal?: AbortSignal },
): Promise<Rebased> {
  const at = { cwd: worktree.path, environment: inWorktree(worktree), signal: options.signal };
  const args = ['rebase', '--quiet', '--no-autosquash', '--empty=drop', '--onto', asCommit(options.onto)];
  const { exitCode, stdout, stderr } = await git([...args, asCommit(options.from)], { ...at, allow: [0, 1] });
  if (exitCode === 0) return { commit: await gitText(['rev-parse', '--verify', 'HEAD'], at) };
  const files = await gitText(['diff', '--name-only', '--diff-filter=U'], at);
  await git(['rebase', '--abort'], { ...at, allow: [0, 1, 128] });
  const said = `${stdout.toString('utf8')}\n${stderr}`.split('\n').filter((line) => /CONFLICT|error:/.test(line));
  return { conflict: [files === '' ? 'conflict' : `conflict in ${files.split('\n').join(', ')}`, ...said].join('\n') };
}
