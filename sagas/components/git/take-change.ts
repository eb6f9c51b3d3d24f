import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { changedEntries, isAncestor, namesIn, type ChangedEntry } from './commits.ts';
import { commitTree, treeOf } from './trees.ts';
import { onFiles, type Checkout } from './checkout.ts';
import { git, GitFailure, type GitOptions, gitText } from './git.ts';
import { dropLitter, ignoringLitter } from './litter.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/** What the files became is no change that can be taken. `message` says why. */
export class UnusableChange extends Error {
  override name = 'UnusableChange';
}

export type Change = {
  /** The commit that the work began at. */
  readonly parent: string;
  readonly message: string;
  /** Of new and changed files together, and of the commits that a program made by itself. */
  readonly maxBytes: number;
  /** Lines of a .gitignore: new files that are no work, beside the usual ones. */
  readonly litter?: readonly string[];
  /** Runs git in the checkout with no more rights than the program had that worked there. @returns its exit code */
  inside(args: readonly string[]): Promise<number | null>;
  readonly signal?: AbortSignal;
};

/**
 * What a program left in a checkout, as one commit that descends from the parent. The files count: they are read with an index of
 * our own, so that nothing done to `.git` there misleads us. Commits that the program made by itself on top of the parent stay;
 * where it rewrote the parent away, its files are put onto the parent. Ignored files and litter stay out.
 * @returns the commit; the parent itself, or the program's last commit, when nothing is left to commit
 * @throws UnusableChange
 */
export async function takeChange(checkout: Checkout, change: Change): Promise<string> {
  const { mirror } = checkout;
  const { parent, message, signal } = change;
  const own = await ownCommit(checkout, change);
  const head = own !== null && (await isAncestor(mirror, parent, own)) ? own : parent;
  const tree = await treeOfFiles(checkout, own ?? parent, change);
  const commit =
    tree === (await treeOf(mirror, head))
      ? asCommit(head)
      : await commitTree(mirror, { tree, parent: head, message, signal });
  await check(mirror, parent, commit);
  return commit;
}

async function treeOfFiles(
  checkout: Checkout,
  start: string,
  { parent, maxBytes, signal, inside, litter = [] }: Change,
): Promise<string> {
  // Files that it does not want to see are not deleted.
  const sparse = join(checkout.path, '.git', 'info', 'sparse-checkout');
  if ((await lstat(sparse).catch(() => null)) !== null) await inside(['sparse-checkout', 'disable']);
  const at = onFiles(checkout, signal);
  const { settings, file } = await ignoringLitter(checkout, litter);
  // An index without times: each file is looked into, through its filters. One that was written at the checkout would trust them.
  await git(['read-tree', start], at);
  if (start !== parent) await dropLitter(at, parent, file);
  await git(['update-index', '-q', '--refresh'], { ...at, allow: [0, 1] });
  await checkSize(checkout, at, settings, maxBytes);
  try {
    await addFiles(checkout, at, settings);
  } catch (error) {
    // A filter or an encoding that the repository names does not take these files.
    if (error instanceof GitFailure && error.exitCode !== null)
      throw new UnusableChange(`git does not take the files: ${error.stderr.slice(0, 1_000)}`, { cause: error });
    throw error;
  }
  return gitText(['write-tree'], at);
}

async function addFiles(checkout: Checkout, at: GitOptions, settings: readonly string[]): Promise<void> {
  const submodules = await submodulesIn(checkout, at);
  if (submodules.length === 0) {
    await git([...settings, 'add', '--all', '--', '.'], at);
    return;
  }
  // A path that is named must not be ignored, not even one that is left out: what is new is added by itself.
  await git([...settings, 'add', '--update', ...GIVEN], { ...at, stdin: allBut(submodules) });
  const { stdout } = await git([...settings, 'ls-files', '-z', '--others', '--exclude-standard'], at);
  await changeIndex(at, ['--add', '--replace'], namesIn(stdout));
  // Where the HEAD of each stands by now; of what is in its files nothing is looked at.
  await changeIndex(at, ['--add', '--remove', '--replace'], submodules);
}

const GIVEN = ['--pathspec-from-file=-', '--pathspec-file-nul'];

/** Git would look into each submodule by its own git, with the settings of the repository there, which a program made: filters, run by us. */
const allBut = (submodules: readonly Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('.\0'), ...submodules.flatMap((path) => [EXCLUDING, path, NUL])]);

const EXCLUDING = Buffer.from(':(top,exclude,literal)');
const NUL = Buffer.from('\0');
/** What its line of the index begins with. */
const SUBMODULE = Buffer.from('160000 ');

const changeIndex = async (at: GitOptions, how: readonly string[], paths: readonly Buffer[]): Promise<unknown> =>
  paths.length > 0 &&
  git(['update-index', ...how, '-z', '--stdin'], { ...at, stdin: Buffer.concat(paths.flatMap((path) => [path, NUL])) });

/** Submodules of the index that may still be there: what a link took the place of goes from it. */
async function submodulesIn(checkout: Checkout, at: GitOptions): Promise<readonly Buffer[]> {
  const { stdout } = await git(['ls-files', '-z', '--stage'], at);
  // Most have none: their whole listing is not taken apart.
  if (!stdout.includes(SUBMODULE)) return [];
  const [there, gone]: [Buffer[], Buffer[]] = [[], []];
  for (const entry of namesIn(stdout)) {
    if (!entry.subarray(0, SUBMODULE.length).equals(SUBMODULE)) continue;
    const path = entry.subarray(entry.indexOf('\t') + 1);
    ((await isBehindLink(checkout.path, path)) ? gone : there).push(path);
  }
  await changeIndex(at, ['--force-remove'], gone);
  return there;
}

async function isBehindLink(root: string, path: Buffer): Promise<boolean> {
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
    const folder = Buffer.concat([Buffer.from(`${root}/`), path.subarray(0, end)]);
    if ((await lstat(folder).catch(() => null))?.isSymbolicLink() === true) return true;
  }
  return false;
}

/**
 * The commit at which the program left its HEAD, brought over as a bundle that is checked object by object; null when it made
 * none, or none that can be read.
 */
async function ownCommit(checkout: Checkout, { parent, maxBytes, inside, signal }: Change): Promise<string | null> {
  if (await isUnmoved(checkout, parent)) return null;
  const bundle = join(checkout.temporary, `own-${process.pid}.bundle`);
  if ((await inside([...BUNDLE, bundle, 'HEAD', `^${asCommit(parent)}`, '--not', '--remotes=origin'])) !== 0)
    return null;
  const found = await lstat(bundle).catch(() => null);
  if (found === null || !found.isFile()) return null;
  if (found.size > maxBytes)
    throw new UnusableChange(`its own commits are ${found.size} bytes, over ${maxBytes}: leave large files out`);
  const { mirror } = checkout;
  const ref = `refs/workledger-own/${checkout.folder.split('/').at(-1) ?? ''}`;
  const at = { cwd: mirror.gitFolder, signal };
  const fetch = ['-c', 'fetch.fsckObjects=true', 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--'];
  try {
    await git([...fetch, bundle, `+HEAD:${ref}`], at);
    return await gitText(['rev-parse', '--verify', `${ref}^{commit}`], at);
  } catch (error) {
    if (!(error instanceof GitFailure) || error.exitCode === null) throw error;
    throw new UnusableChange(`its own commits are damaged: ${error.stderr.slice(0, 1_000)}`, { cause: error });
  } finally {
    await git(['update-ref', '-d', ref], { cwd: mirror.gitFolder, allow: [0, 1, 128] });
  }
}

const BUNDLE = ['bundle', 'create', '--quiet'];

/** Whether HEAD is where it was: no more than a hint, read without git; a program that lies here loses its own commits. */
async function isUnmoved({ path }: Checkout, parent: string): Promise<boolean> {
  const head = await small(join(path, '.git', 'HEAD'));
  const ref = /^ref: (refs\/heads\/[A-Za-z0-9._/-]+)\n$/.exec(head)?.[1];
  if (ref === undefined || ref.split('/').includes('..')) return head.trim() === parent;
  return (await small(join(path, '.git', ref))).trim() === parent;
}

/** A small plain file; anything else is empty. */
async function small(file: string): Promise<string> {
  try {
    const found = await lstat(file);
    return found.isFile() && found.size < 1_024 ? await readFile(file, 'utf8') : '';
  } catch {
    return '';
  }
}

async function checkSize(checkout: Checkout, at: GitOptions, settings: readonly string[], maxBytes: number) {
  const { stdout } = await git([...settings, 'ls-files', '-z', '--others', '--modified', '--exclude-standard'], at);
  let size = 0;
  for (const name of namesIn(stdout)) {
    if (name.at(-1) === SLASH) throw new UnusableChange(nested(name.toString()));
    size += await lstat(Buffer.concat([Buffer.from(`${checkout.path}/`), name])).then(
      (found) => (found.isFile() ? found.size : 0),
      () => 0,
    );
    if (size > maxBytes)
      throw new UnusableChange(
        `new and changed files are over ${maxBytes} bytes, up to ${name.toString()}: ignore or remove them`,
      );
  }
}

const SLASH = '/'.charCodeAt(0);
const nested = (path: string): string => `${path} is a git repository inside the repository: remove it`;

/** What must not come in: a repository in place of its files, and links that lead out of the repository. */
async function check(mirror: Mirror, parent: string, commit: string): Promise<void> {
  for (const entry of await changedEntries(mirror, parent, commit)) {
    const { path, before, after } = entry;
    if (after?.mode === '160000' && before?.mode !== '160000') throw new UnusableChange(nested(path));
    if (after?.mode !== '120000') continue;
    const problem = await problemOfLink(mirror, entry);
    if (problem !== null) throw new UnusableChange(`${path} is a link that ${problem}`);
  }
}

const LEADS_OUT = 'leads out of the repository: remove it, or ignore it';
const GOES_UP_AGAIN = 'goes up again after a name, which may be a link itself: shorten it, or remove it';

async function problemOfLink(mirror: Mirror, { name, before, after }: ChangedEntry): Promise<string | null> {
  if (after === null || (before?.mode === after.mode && before.object === after.object)) return null;
  const target = (await git(['cat-file', 'blob', after.object], { cwd: mirror.gitFolder })).stdout.toString('latin1');
  if (target.startsWith('/') || /^[A-Za-z]:[\\/]/.test(target)) return LEADS_OUT;
  const parts = target.split('/').filter((part) => part !== '' && part !== '.');
  const up = parts.findIndex((part) => part !== '..');
  if ((up < 0 ? parts.length : up) > name.toString('latin1').split('/').length - 1) return LEADS_OUT;
  return up >= 0 && parts.slice(up).includes('..') ? GOES_UP_AGAIN : null;
}
