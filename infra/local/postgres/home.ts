import { createHash } from 'node:crypto';
import { access, chmod, constants, lstat, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { ServerUser } from './server-user.ts';

/** Where things are: `folder` is ours (lock, password, port); `home` holds what the server's user must reach. */
export type Places = { readonly folder: string; readonly home: string; readonly cluster: string };

/**
 * Makes the data folder and finds the place for the cluster: the folder itself, or, where the server's user may not pass (a
 * checkout below /root), a stand-in that a file in the data folder remembers.
 * @throws Error in one line when a folder cannot be written, or the remembered one is gone
 */
export async function findPlaces(folder: string, user: ServerUser | null): Promise<Places> {
  const ours = await makeFolder(resolve(folder), user === null ? 0o700 : 0o711);
  const home = await findHome(ours, user);
  return { folder: ours, home, cluster: join(home, 'cluster') };
}

async function findHome(folder: string, user: ServerUser | null): Promise<string> {
  const note = join(folder, 'location');
  const remembered = (await readFile(note, 'utf8').catch(() => '')).trim();
  if (remembered !== '') {
    await stat(join(remembered, 'cluster')).catch(() => {
      throw new Error(
        `the database of ${folder} was in ${remembered}, which is gone: bring it back, or remove ${folder} to start empty`,
      );
    });
    return remembered;
  }
  if (user === null || (await isTraversable(folder, user))) return folder;
  if (await exists(join(folder, 'cluster'))) {
    throw new Error(
      `PostgreSQL cannot reach ${folder} any more (a folder above it is closed to other users): ` +
        `open it with chmod o+x, or move ${folder} elsewhere`,
    );
  }
  return standInFor(folder, 'data');
}

/** Notes in the data folder where its cluster is, once there is one. */
export async function rememberHome({ folder, home }: Places): Promise<void> {
  if (home !== folder) await writeFile(join(folder, 'location'), `${home}\n`);
}

/**
 * Makes a data folder, for us alone. As root other users may pass through what is made here, and read nothing: the database lies in
 * it, and its server is not root.
 * @throws Error in one line when it cannot be written
 */
export async function makeDataFolder(folder: string): Promise<void> {
  try {
    const first = await mkdir(folder, { recursive: true, mode: 0o700 });
    if (first === undefined || process.getuid?.() !== 0) return;
    for (let made = resolve(folder); made.startsWith(first); made = dirname(made)) await chmod(made, 0o711);
  } catch (error) {
    throw cannotWrite(folder, error as NodeJS.ErrnoException);
  }
}

async function makeFolder(folder: string, mode: number): Promise<string> {
  try {
    await makeDataFolder(folder);
    const path = await realpath(folder);
    const { mode: present } = await stat(path);
    if ((present & 0o777) !== mode) await chmod(path, mode);
    return path;
  } catch (error) {
    throw cannotWrite(folder, error as NodeJS.ErrnoException);
  }
}

/** One line that names the folder, the reason and the remedy. */
export function cannotWrite(folder: string, cause: NodeJS.ErrnoException): Error {
  const reason = cause.code ?? cause.message;
  return new Error(`cannot write to the data folder ${folder} (${reason}): make it writable, or choose another`, {
    cause,
  });
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * A folder that other users may pass through, to stand in for one that they may not. What lies in the temporary folder gets its
 * stand-in there; all else in /var/lib, which nobody tidies up after a month as they do with /var/tmp.
 * @param path real path of the folder that it stands for; the same path has the same stand-in
 * @param purpose part of its name
 * @throws Error in one line when the stand-in belongs to somebody else
 */
export async function standInFor(path: string, purpose: string): Promise<string> {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return ownFolder(join(await baseFor(path), `workledger-${purpose}-${digest}`));
}

async function baseFor(path: string): Promise<string> {
  const temporary = await realpath(tmpdir());
  if (path.startsWith(`${temporary}/`)) return temporary;
  for (const base of ['/var/lib', '/var/tmp']) {
    const writable = await access(base, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (writable) return realpath(base);
  }
  return temporary;
}

/** Everybody may create names in a temporary folder: what somebody else made there, or a link, is not ours to fill. */
async function ownFolder(folder: string): Promise<string> {
  await mkdir(folder, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to somebody else: remove it, or choose another data folder`);
  }
  await chmod(folder, 0o711);
  return folder;
}

/** Whether that user may pass through the folder and all folders above it. The path must exist and be a real path. */
async function isTraversable(folder: string, user: ServerUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder);
  const execute = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & execute) === 0) return false;
  const parent = dirname(folder);
  return parent === folder || isTraversable(parent, user);
}
