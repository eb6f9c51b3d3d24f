import { git, gitText } from './git.ts';
import { commitOn } from './make-commit.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

type Entry = { readonly mode: string; readonly object: string };
type At = { readonly commit: string; readonly path: string; readonly signal?: AbortSignal };

const MODES = new Set(['100644', '100755']);

/** A file of a commit, as bytes; null: there is none by that path, or it is no plain file. */
export async function readFileAt(mirror: Mirror, at: At): Promise<Buffer | null> {
  const entry = await entryAt(mirror, at);
  if (entry === null) return null;
  return (await git(['cat-file', 'blob', entry.object], { cwd: mirror.gitFolder, signal: at.signal })).stdout;
}

async function entryAt({ gitFolder }: Mirror, { commit, path, signal }: At): Promise<Entry | null> {
  const { stdout } = await git(['ls-tree', '-z', '--full-tree', asCommit(commit), '--', path], {
    cwd: gitFolder,
    signal,
  });
  const [, mode = '', object = ''] = /^(\d{6}) blob ([0-9a-f]+)\t/.exec(stdout.toString('latin1')) ?? [];
  return MODES.has(mode) ? { mode, object } : null;
}

/**
 * A commit on another one in which one file is another text, of the same mode. Built from trees alone, so that no file on disk misleads
 * it. The same commit every time it is asked with the same message.
 * @throws RangeError when there is no such file @throws GitFailure
 */
export async function withFile(
  mirror: Mirror,
  { text, message, ...at }: At & { readonly text: string; readonly message: string },
): Promise<string> {
  const { commit, path, signal } = at;
  const entry = await entryAt(mirror, at);
  if (entry === null) throw new RangeError(`${commit} has no file ${path}`);
  return commitOn(mirror, { commit, message, signal }, async (own) => {
    const object = await gitText(['hash-object', '-w', '--stdin'], { ...own, stdin: text });
    await git(['update-index', '--cacheinfo', `${entry.mode},${object},${path}`], own);
  });
}
