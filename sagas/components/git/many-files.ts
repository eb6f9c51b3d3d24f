import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { git, gitText } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

type At = { readonly commit: string; readonly path: string; readonly signal?: AbortSignal | undefined };

const PLAIN = '100644';
const FILES = new Set([PLAIN, '100755']);

/** What a commit has by a path: a plain file, nothing, or something else (a folder, a link, another repository). */
async function whatIsAt(
  { gitFolder }: Mirror,
  { commit, path, signal }: At,
): Promise<{ mode: string } | 'other' | null> {
  const args = ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', asCommit(commit), '--', path];
  const { stdout } = await git(args, { cwd: gitFolder, signal });
  if (stdout.length === 0) return null;
  const mode = /^(\d{6}) blob /.exec(stdout.toString('latin1'))?.[1];
  return mode !== undefined && FILES.has(mode) ? { mode } : 'other';
}

/**
 * A commit on another one in which these files are another text, or are gone (null). Built from trees alone, so that no file on disk
 * misleads it. The same commit every time it is asked with the same message; the other one itself when nothing differs.
 * @throws RangeError where something else than a file stands in the way @throws GitFailure
 */
export async function withFiles(
  mirror: Mirror,
  change: {
    readonly commit: string;
    readonly files: ReadonlyMap<string, string | null>;
    /** Whole, with its last newline. */
    readonly message: string;
    /** Of these there must be none yet; default: of none. */
    readonly onlyNew?: (path: string) => boolean;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string> {
  const { commit, files, message, signal, onlyNew = () => false } = change;
  const { gitFolder } = mirror;
  const index = join(gitFolder, `workledger-index-${randomBytes(6).toString('hex')}`);
  const own = { cwd: gitFolder, environment: { GIT_INDEX_FILE: index }, signal };
  const none = '0'.repeat(commit.length);
  try {
    const lines: { readonly isGone: boolean; readonly line: string }[] = [];
    for (const [path, text] of files) {
      const there = await whatIsAt(mirror, { commit, path, signal });
      if (there === 'other') throw new RangeError(`${path} is no plain file of ${commit}`);
      if (there !== null && onlyNew(path)) throw new RangeError(`${path} is there already`);
      if (text === null && there === null) throw new RangeError(`${commit} has no file ${path}`);
      const isGone = text === null;
      const object = isGone ? none : await gitText(['hash-object', '-w', '--stdin'], { ...own, stdin: text });
      lines.push({ isGone, line: isGone ? `0 ${none}\t${path}\0` : `${there?.mode ?? PLAIN} ${object}\t${path}\0` });
    }
    await git(['read-tree', asCommit(commit)], own);
    // What goes, goes first: a folder may come where a file was.
    lines.sort((one, other) => Number(other.isGone) - Number(one.isGone));
    await git(['update-index', '--add', '-z', '--index-info'], {
      ...own,
      stdin: Buffer.from(lines.map(({ line }) => line).join('')),
    });
    const tree = await gitText(['write-tree'], own);
    if (tree === (await gitText(['rev-parse', '--verify', `${asCommit(commit)}^{tree}`], own))) return asCommit(commit);
    const date = await gitText(['show', '--no-patch', '--format=%cI', asCommit(commit)], own);
    const environment = { ...own.environment, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    return await gitText(['commit-tree', tree, '-p', commit, '-F', '-'], { ...own, environment, stdin: message });
  } finally {
    await rm(index, { force: true });
  }
}
