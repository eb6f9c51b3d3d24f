import { existsSync } from 'node:fs';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { removeFolder } from '../process/folders.ts';
import { configuredFilters } from './filters.ts';
import { git, gitText } from './git.ts';
import { createLike, type Mirror } from './mirror.ts';
import { asCommit, branchRef, withoutCredentials } from './names.ts';
import type { Setting } from './user-settings.ts';

/**
 * A repository of its own for one attempt: refs, configuration, stash, hooks, replaced objects and sparse settings are nobody
 * else's. Only the objects of the origin's branches and tags are borrowed, to be read.
 */
export type Checkout = {
  readonly mirror: Mirror;
  /** Holds all that follows, and goes with the attempt. */
  readonly folder: string;
  /** Where the files are; `.git` lies in here. A program may have done anything to it. */
  readonly path: string;
  /** The attempt's temporary files. */
  readonly temporary: string;
  /** Workledger's own notes about it, out of the attempt's reach. */
  readonly notes: string;
};

/** Where a checkout of this name will lie; nothing is made yet. The name must be unique on this machine. */
export const checkoutAt = (dataFolder: string, mirror: Mirror, name: string): Checkout => {
  const folder = join(checkoutsFolder(dataFolder), name);
  return {
    ...{ mirror, folder, path: join(folder, 'repository') },
    ...{ temporary: join(folder, 'temporary'), notes: join(folder, 'notes') },
  };
};

/**
 * Tools look for their configuration upwards: a data folder inside of somebody's work tree is no place for another one. Then
 * checkouts lie in the user's cache.
 */
function checkoutsFolder(dataFolder: string): string {
  const absolute = resolve(dataFolder);
  if (!isInWorkTree(absolute)) return join(absolute, 'worktrees');
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const place = isInWorkTree(cache) ? tmpdir() : cache;
  return join(place, 'workledger', absolute.replaceAll(/[^A-Za-z0-9._-]+/g, '-'), 'worktrees');
}

function isInWorkTree(folder: string): boolean {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, '.git'))) return true;
    if (dirname(at) === at) return false;
  }
}

/**
 * Makes the checkout as a clone of the origin would be, at this commit: its branches as `origin/…`, its tags, the base branch
 * checked out. @throws GitFailure
 */
export async function createCheckout(
  checkout: Checkout,
  { commit, branch, signal }: { commit: string; branch: string; signal?: AbortSignal | undefined },
): Promise<void> {
  const { mirror, path, temporary, notes } = checkout;
  for (const folder of [path, temporary, notes]) await mkdir(folder, { recursive: true, mode: 0o700 });
  const at = inCheckout(checkout, signal);
  const gitFolder = join(path, '.git');
  await createLike(mirror, gitFolder, { isBare: false });
  await appendFile(join(gitFolder, 'config'), configOf(mirror, branch, await configuredFilters(mirror)));
  const lent = await copyRefs(mirror, gitFolder, branch);
  // What an earlier attempt made is not lent, but given: this commit, and what it needs.
  const fetch = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', mirror.gitFolder, asCommit(commit)];
  if (!lent.has(commit) && !(await has(commit, at))) await git(fetch, at);
  const ref = join(gitFolder, branchRef(branch));
  await mkdir(dirname(ref), { recursive: true });
  await writeFile(ref, `${commit}\n`);
  await writeFile(join(gitFolder, 'HEAD'), `ref: ${branchRef(branch)}\n`);
  await git(['reset', '--quiet', '--hard'], { ...at, usualUmask: true });
}

/** As after a clone; and for agents that commit by themselves on a machine where nobody told git who they are. */
function configOf({ url }: Mirror, branch: string, filters: readonly Setting[]): string {
  const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
  const filtered = filters.flatMap(({ key, value }) => {
    const parts = key.split('.');
    return [`[filter ${quoted(parts.slice(1, -1).join('.'))}]`, `\t${parts.at(-1) ?? ''} = ${quoted(value)}`];
  });
  return [
    ...['[user]', '\tname = Workledger', '\temail = workledger@localhost', '[gc]', '\tauto = 0'],
    '[remote "origin"]',
    `\turl = ${quoted(withoutPassword(url))}`,
    '\tfetch = +refs/heads/*:refs/remotes/origin/*',
    `[branch ${quoted(branch)}]`,
    ...['\tremote = origin', `\tmerge = refs/heads/${branch}`, ...filtered, ''],
  ].join('\n');
}

/** What is written where an agent reads it. */
const withoutPassword = (url: string): string => withoutCredentials(url).replace('://***@', '://');

/** The origin's branches and tags, as a clone has them. @returns the ids that they name */
async function copyRefs(mirror: Mirror, gitFolder: string, branch: string): Promise<Set<string>> {
  const format = '%(objectname) %(refname)';
  const text = await gitText(['for-each-ref', `--format=${format}`, 'refs/heads', 'refs/tags'], {
    cwd: mirror.originFolder,
  });
  const packed = text.replaceAll(/^([0-9a-f]+) refs\/heads\//gm, '$1 refs/remotes/origin/');
  await writeFile(join(gitFolder, 'packed-refs'), packed === '' ? '' : `${packed}\n`);
  const remote = join(gitFolder, 'refs', 'remotes', 'origin');
  await mkdir(remote, { recursive: true });
  await writeFile(join(remote, 'HEAD'), `ref: refs/remotes/origin/${branch}\n`);
  return new Set(text.split('\n').map((line) => line.split(' ', 1)[0] ?? ''));
}

type At = ReturnType<typeof inCheckout>;

/** For our own git in a checkout that no program has touched yet. */
export const inCheckout = ({ path, folder }: Checkout, signal?: AbortSignal) => ({
  cwd: path,
  environment: { GIT_DIR: join(path, '.git'), GIT_WORK_TREE: path, GIT_CEILING_DIRECTORIES: folder },
  signal,
});

/**
 * For our own git on the files of a checkout, whatever a program did to its `.git`: with Workledger's repository and an index of
 * Workledger's own.
 */
export const onFiles = ({ mirror, path, folder, notes }: Checkout, signal?: AbortSignal) => ({
  cwd: path,
  environment: {
    ...{ GIT_DIR: mirror.gitFolder, GIT_WORK_TREE: path, GIT_INDEX_FILE: join(notes, 'index') },
    GIT_CEILING_DIRECTORIES: folder,
  },
  signal,
});

async function has(commit: string, at: At): Promise<boolean> {
  return (await git(['cat-file', '-e', `${commit}^{commit}`], { ...at, allow: [0, 1, 128] })).exitCode === 0;
}

/** Keeps what git wrote of a commit made in a checkout that no program of others has touched. */
export async function keepCommit(checkout: Checkout, commit: string, signal?: AbortSignal): Promise<void> {
  const { mirror, path } = checkout;
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', join(path, '.git'), asCommit(commit)];
  await git(args, { cwd: mirror.gitFolder, signal });
}

/** Removes files and notes; nothing there is fine. */
export const removeCheckout = ({ folder }: Checkout): Promise<void> => removeFolder(folder);
