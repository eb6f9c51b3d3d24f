import { git } from '../git/git.ts';
import { asCommit } from '../git/names.ts';

/** A file of a commit. */
export type TreeFile = { readonly path: string; readonly blob: string; readonly size: number };

/** A commit of before, by its subject and the files that it touched; the newest first. */
export type PastCommit = { readonly subject: string; readonly paths: readonly string[] };

/** Where git's objects are. */
export type Objects = { readonly gitFolder: string; readonly signal?: AbortSignal | undefined };

/** Every file of a commit; links and submodules are none. */
export async function listFiles(commit: string, { gitFolder, signal }: Objects): Promise<TreeFile[]> {
  const args = ['ls-tree', '-r', '-z', '--long', '--full-tree', asCommit(commit)];
  const { stdout } = await git(args, { cwd: gitFolder, signal });
  return stdout
    .toString('utf8')
    .split('\0')
    .flatMap((entry) => {
      const [about = '', path] = entry.split('\t', 2);
      const [mode, , blob = '', size] = about.split(/ +/);
      return path === undefined || !mode?.startsWith('100') ? [] : [{ path, blob, size: Number(size) }];
    });
}

const NEW_LINE = 10;

/** The contents of blobs by their ids. */
export async function readBlobs(
  blobs: readonly string[],
  { gitFolder, signal }: Objects,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  if (blobs.length === 0) return found;
  const stdin = `${blobs.map(asCommit).join('\n')}\n`;
  const { stdout } = await git(['cat-file', '--batch'], { cwd: gitFolder, stdin, signal });
  for (let at = 0; at < stdout.length;) {
    const end = stdout.indexOf(NEW_LINE, at);
    const [blob = '', type, size = ''] = stdout.toString('latin1', at, end).split(' ');
    at = end + 1;
    if (type === 'missing') continue;
    found.set(blob, stdout.subarray(at, at + Number(size)));
    at += Number(size) + 1;
  }
  return found;
}

const MOST_COMMITS = 2_000;
/** A commit that touches more is a sweep: it tells of no two files that they belong together. */
const MOST_PATHS = 40;

/** What was done up to a commit, itself included, and never what came after. */
export async function readHistory(commit: string, { gitFolder, signal }: Objects): Promise<PastCommit[]> {
  const limits = [`--max-count=${MOST_COMMITS}`, '--no-merges', '--no-renames', '--no-ext-diff', '--no-show-signature'];
  const format = ['--format=%x01%s', '--name-only', '-z'];
  const args = ['log', ...limits, ...format, '--end-of-options', asCommit(commit), '--'];
  const { stdout } = await git(args, { cwd: gitFolder, signal });
  return stdout
    .toString('utf8')
    .split('\u0001')
    .slice(1)
    .map((entry) => {
      const [subject = '', ...paths] = entry.split('\0').map((part) => part.replace(/^\n/, ''));
      const touched = paths.filter((path) => path !== '');
      return { subject, paths: touched.length > MOST_PATHS ? [] : touched };
    });
}
