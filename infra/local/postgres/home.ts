import { chmod, mkdir, readFile, realpath, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { standInFor } from './elsewhere.ts';
import type { ServerUser } from './server-user.ts';
import { isTraversable } from './traversable.ts';

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

async function makeFolder(folder: string, mode: number): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
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
