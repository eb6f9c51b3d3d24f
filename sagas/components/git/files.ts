import { git, gitText } from './git.ts';
import { commitOn } from './make-commit.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

type Entry = { readonly mode: string; readonly object: string };
type At = { readonly commit: string; readonly path: string; readonly signal?: AbortSignal | undefined };

const PLAIN = '100644';
const MODES = new Set([PLAIN, '100755']);

/** A file of a commit, as bytes; null: there is none by that path, or it is no plain file. */
export async function readFileAt(mirror: Mirror, at: At): Promise<Buffer | null> {
  const entry = await entryAt(mirror, at);
  if (!isFile(entry)) return null;
  return (await git(['cat-file', 'blob', entry.object], { cwd: mirror.gitFolder, signal: at.signal })).stdout;
}

/** What a commit has by a path: a file, a folder, a link, another repository; null: nothing. */
async function entryAt({ gitFolder }: Mirror, { commit, path, signal }: At): Promise<Entry | null> {
  const args = ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', asCommit(commit), '--', path];
  const { stdout } = await git(args, { cwd: gitFolder, signal });
  const [, mode, object] = /^(\d{6}) [a-z]+ ([0-9a-f]+)\t/.exec(stdout.toString('latin1')) ?? [];
  return mode === undefined || object === undefined ? null : { mode, object };
}

const isFile = (entry: Entry | null): entry is Entry => entry !== null && MODES.has(entry.mode);

/**
 * A commit on another one in which these files are another text, or are gone (null). Built from trees alone, so that no file on disk
 * misleads it. The same commit every time it is asked with the same message.
 * @throws RangeError where a file is not what it is taken for @throws GitFailure
 */
export async function withFiles(
  mirror: Mirror,
  change: Omit<At, 'path'> & {
    readonly files: ReadonlyMap<string, string | null>;
    /** Of these there is nothing yet; of all others, there is a plain file. Default: none is new. */
    readonly isNew?: (path: string) => boolean;
    /** Whole, with its last newline. */
    readonly message: string;
  },
): Promise<string> {
  const { commit, files, message, signal, isNew = () => false } = change;
  return commitOn(mirror, { commit, message, signal }, async (own) => {
    const gone: string[] = [];
    const there: string[] = [];
    for (const [path, text] of files) {
      const entry = await entryAt(mirror, { commit, path, signal });
      if (isNew(path) && entry !== null) throw new RangeError(`${path} is there already`);
      if (!isNew(path) && !isFile(entry)) throw new RangeError(`${commit} has no file ${path}`);
      if (text === null) gone.push(`0 ${'0'.repeat(commit.length)}\t${path}\0`);
      else {
        const object = await gitText(['hash-object', '-w', '--stdin'], { ...own, stdin: text });
        there.push(`${entry?.mode ?? PLAIN} ${object}\t${path}\0`);
      }
    }
    // What goes, goes first: a folder may come where a file was.
    const stdin = Buffer.from([...gone, ...there].join(''));
    await git(['update-index', '--add', '-z', '--index-info'], { ...own, stdin });
  });
}
