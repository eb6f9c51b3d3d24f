import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { git, gitText } from './git.ts';
import { asCommit } from './names.ts';
import { inWorktree, type Worktree } from './worktree.ts';

/** What the worktree became is no change that can be taken. `message` says why. */
export class UnusableChange extends Error {
  override name = 'UnusableChange';
}

/**
 * Everything in the worktree as one commit on top of its HEAD (which may have moved: a program may commit by itself).
 * Works with an index of its own, so that nothing done to the worktree's index counts. Ignored files stay out.
 * @param maxBytes of new and changed files together
 * @returns the commit; HEAD itself when nothing is left to commit
 * @throws UnusableChange
 */
export async function commitAll(
  worktree: Worktree,
  options: { message: string; maxBytes: number; signal?: AbortSignal },
): Promise<string> {
  const index = join(worktree.gitFolder, 'workledger-index');
  const at = { cwd: worktree.path, environment: inWorktree(worktree, index), signal: options.signal };
  const head = await gitText(['rev-parse', '--verify', '--end-of-options', 'HEAD^{commit}'], at);
  await git(['read-tree', head], at);
  await git(['update-index', '-q', '--refresh'], { ...at, allow: [0, 1] });
  await checkSize(worktree, at, options.maxBytes);
  await git(['add', '--all', '--', '.'], at);
  const tree = await gitText(['write-tree'], at);
  if (tree === (await gitText(['rev-parse', '--verify', `${head}^{tree}`], at))) return asCommit(head);
  return gitText(['commit-tree', tree, '-p', head, '-F', '-'], { ...at, stdin: options.message });
}

async function checkSize(worktree: Worktree, at: Parameters<typeof git>[1], maxBytes: number): Promise<void> {
  const { stdout } = await git(['ls-files', '-z', '--others', '--modified', '--exclude-standard'], at);
  let size = 0;
  for (const path of stdout.toString('utf8').split('\0').filter(Boolean)) {
    if (path.endsWith('/')) throw new UnusableChange(`${path} is a git repository inside the repository: remove it`);
    size += await lstat(join(worktree.path, path)).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    );
    if (size > maxBytes)
      throw new UnusableChange(
        `new and changed files are over ${maxBytes} bytes, up to ${path}: ignore or remove them`,
      );
  }
}
