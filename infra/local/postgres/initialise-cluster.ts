import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { rememberHome, type Places } from './home.ts';
import { runCommand, type ServerUser } from './server-user.ts';
import type { RunnableBinaries } from './binaries.ts';

/** Superuser of the cluster and name of its database. */
export const databaseName = 'workledger';

/** Guesses are made slow where people choose passwords: ours is of 24 random bytes, and each connection pays for it. */
const QUICK_LOGIN = '--set=scram_iterations=1';

/**
 * Makes the cluster if there is none. It gets its name last, so a cluster that stands is a whole one.
 * @throws Error when initdb fails, or the cluster is of another major version
 */
export async function initialiseCluster(
  { native, major }: RunnableBinaries,
  places: Places,
  user: ServerUser | null,
  password: string,
): Promise<void> {
  const { cluster, home } = places;
  const present = (await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch(() => '')).trim();
  if (present === major) return;
  if (present !== '') {
    throw new Error(
      `the database in ${cluster} is of PostgreSQL ${present}, this is PostgreSQL ${major}: ` +
        'export it with the version that wrote it, or choose another data folder',
    );
  }
  const unfinished = `${cluster}.unfinished`;
  const passwordFile = join(home, 'initdb-password');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await rm(passwordFile, { force: true });
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600, flag: 'wx' });
  try {
    if (user !== null) await Promise.all([unfinished, passwordFile].map((path) => chown(path, user.uid, user.gid)));
    const args = [`--pgdata=${unfinished}`, `--username=${databaseName}`, `--pwfile=${passwordFile}`];
    const fixed = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'];
    const outcome = await runCommand(join(native, 'bin', 'initdb'), [...args, ...fixed, QUICK_LOGIN], user);
    if (!outcome.ok) throw new Error(`initdb could not make the database in ${cluster}: ${outcome.output}`);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, cluster);
  await rememberHome(places);
}
