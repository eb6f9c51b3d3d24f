import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { removeFolder } from '../process/folders.ts';
import { gitAtOrigin, type Origin, type OriginLogin } from './at-origin.ts';
import { git, inTurn } from './git.ts';
import { asUrl } from './names.ts';

/**
 * What this machine keeps of one repository, written by Workledger alone: a store of what the origin's branches and tags hold,
 * whose objects are lent to attempts, and one of all else (what attempts made, what was restored or rebased), which borrows from it
 * and which no attempt sees.
 */
export type Mirror = Origin & {
  /** Absolute path of the bare repository in which Workledger works: it has every commit, and the results of tasks as refs. */
  readonly gitFolder: string;
  /** Absolute path of the bare repository with the origin's branches and tags, and nothing else. */
  readonly originFolder: string;
};

const nameOf = (url: string): string => createHash('sha256').update(asUrl(url)).digest('hex').slice(0, 24);

const repositoriesFolder = (dataFolder: string): string => join(resolve(dataFolder), 'repositories');

/**
 * The mirror of this address, made (empty) where there is none yet. Safe when two processes do it at once.
 * @param login lets git in at the origin; null: what the machine has does
 * @throws GitFailure when the origin must be asked for its kind of ids, and does not answer
 */
export async function openMirror(
  dataFolder: string,
  url: string,
  signal?: AbortSignal,
  login: OriginLogin | null = null,
): Promise<Mirror> {
  const folder = join(repositoriesFolder(dataFolder), nameOf(url));
  const mirror = { url, login, gitFolder: join(folder, 'work.git'), originFolder: join(folder, 'origin.git') };
  await inTurn(folder, async () => {
    if (isThere(mirror.gitFolder) && isThere(mirror.originFolder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!isThere(mirror.originFolder)) await createOriginFolder(mirror, signal);
    if (!isThere(mirror.gitFolder)) await put(mirror.gitFolder, (made) => createLike(mirror, made, { isBare: true }));
  });
  return mirror;
}

const isThere = (gitFolder: string): boolean => existsSync(join(gitFolder, 'HEAD'));

type ObjectFormat = 'sha1' | 'sha256';

/** Told by the length of the origin's ids; an empty origin has none, and git's default. */
async function objectFormat(origin: Origin, cwd: string, signal?: AbortSignal): Promise<ObjectFormat> {
  const args = ['ls-remote', '--quiet', '--', origin.url, 'HEAD', 'refs/heads/*'];
  const { stdout } = await gitAtOrigin(origin, args, { cwd, signal });
  return /^[0-9a-f]{64}\t/.test(stdout.toString('latin1')) ? 'sha256' : 'sha1';
}

async function createOriginFolder(mirror: Mirror, signal?: AbortSignal): Promise<void> {
  const cwd = dirname(mirror.originFolder);
  const format = await objectFormat(mirror, cwd, signal);
  await put(mirror.originFolder, async (made) => {
    await git(['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, '--', made], { cwd, signal });
  });
}

/** Makes a folder elsewhere, and moves it to its place where there is none yet. */
async function put(gitFolder: string, make: (made: string) => Promise<void>): Promise<void> {
  const made = `${gitFolder}.${randomBytes(4).toString('hex')}`;
  try {
    await make(made);
    await rename(made, gitFolder);
  } catch (error) {
    await removeFolder(made);
    if (!isThere(gitFolder)) throw error;
  }
}

/**
 * Makes an empty repository that reads the objects of the origin's, which it does not copy: with the format, and what `git init` found of
 * the disk, that this one has. (See gitrepository-layout.)
 */
export async function createLike(
  { originFolder }: Mirror,
  gitFolder: string,
  { isBare }: { readonly isBare: boolean },
): Promise<void> {
  for (const folder of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags'])
    await mkdir(join(gitFolder, folder), { recursive: true });
  await writeFile(join(gitFolder, 'objects/info/alternates'), `${join(originFolder, 'objects')}\n`);
  const config = await readFile(join(originFolder, 'config'), 'utf8');
  const own = isBare ? config : config.replace('bare = true', 'bare = false\n\tlogallrefupdates = true');
  await writeFile(join(gitFolder, 'config'), own);
  await writeFile(join(gitFolder, 'HEAD'), await readFile(join(originFolder, 'HEAD')));
}

/** Mirrors of an earlier shape, which attempts shared. What they held is in the origin. */
export async function removeOldMirrors(dataFolder: string): Promise<void> {
  const folder = repositoriesFolder(dataFolder);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) if (/^[0-9a-f]{24}\.git(\.|$)/.test(name)) await removeFolder(join(folder, name));
}
