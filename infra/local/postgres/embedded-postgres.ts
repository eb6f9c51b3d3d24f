import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, isFree } from '../free-port.ts';
import { packagedBinaries, runnableBinaries, type RunnableBinaries } from './binaries.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { cannotWrite, findPlaces, type Places } from './home.ts';
import { databaseName, initialiseCluster } from './initialise-cluster.ts';
import {
  clearLeftovers,
  serverArguments,
  ServerDidNotStart,
  type ServerProcess,
  type ServerSettings,
  startServerProcess,
} from './server-process.ts';
import { serverUser, type ServerUser } from './server-user.ts';

export type EmbeddedPostgres = {
  /** Connection URL of the database, with its password: a secret. */
  readonly url: string;
  readonly pid: number;
  /** Resolves when the server has ended without `stop`, with how. */
  readonly died: Promise<string>;
  /** Fast shutdown: waits until the server is gone and frees the data folder. Call it as often as you like. */
  stop(): Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Where everything is kept: the cluster, the password, the port, the log. Made when missing. */
  readonly folder: string;
  /** Port at 127.0.0.1; default: last time's, else a free one. */
  readonly port?: number;
  readonly log: (line: string) => void;
  /** Settings beside those that Workledger needs. */
  readonly settings?: ServerSettings;
  /** Folder with PostgreSQL's `bin`, `lib` and `share`; default: the installed package's. */
  readonly native?: string;
};

/**
 * Starts PostgreSQL on a data folder: as an ordinary user or as root, the first time or after any crash.
 * @throws Error in one line (what, where, how to mend) when the folder is in use or cannot be written, the port is taken, or
 * the server does not start
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = await serverUser();
  const places = await findPlaces(options.folder, user);
  const unlock = await lockDataFolder(places.folder).catch((error: NodeJS.ErrnoException) => {
    throw error.code === undefined ? error : cannotWrite(places.folder, error);
  });
  try {
    if (places.home !== places.folder)
      options.log(`the database is in ${places.home}, where PostgreSQL's user can reach it`);
    const packaged = options.native === undefined ? packagedBinaries() : { native: options.native };
    const binaries = await runnableBinaries(packaged, places.home, user);
    const password = await keptPassword(places.folder);
    await clearLeftovers(places.cluster, options.log);
    await initialiseCluster(binaries, places, user, password);
    const { port, server } = await startOnSomePort(options, { binaries, places, user, password });
    await rememberPort(places.folder, port);
    const url = urlOf(port, password, databaseName);
    await createDatabase(urlOf(port, password, 'postgres')).catch(async (error: unknown) => {
      await server.stop();
      throw error;
    });
    return running(server, url, unlock);
  } catch (error) {
    await unlock();
    throw error;
  }
}

type Prepared = { binaries: RunnableBinaries; places: Places; user: ServerUser | null; password: string };

/** Another program may take a free port first; the killed server's children may hold its memory a moment longer. */
async function startOnSomePort(
  options: EmbeddedPostgresOptions,
  { binaries, places, user, password }: Prepared,
): Promise<{ port: number; server: ServerProcess }> {
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(places.folder, options.port);
    try {
      const server = await startServerProcess({
        program: join(binaries.native, 'bin', 'postgres'),
        args: serverArguments(places.cluster, port, options.settings ?? {}),
        user,
        folder: places.folder,
        url: urlOf(port, password, 'postgres'),
      });
      return { port, server };
    } catch (error) {
      const passing = /could not bind|could not create any TCP|shared memory block.*still in use/;
      if (!(error instanceof ServerDidNotStart && passing.test(error.output)) || attempt === 30) throw error;
      await sleep(300);
    }
  }
}

function running(server: ServerProcess, url: string, unlock: () => Promise<void>): EmbeddedPostgres {
  let stopping: Promise<void> | undefined;
  return {
    url,
    pid: server.pid,
    died: server.ended.then((how) => (stopping === undefined ? how : new Promise<never>(() => undefined))),
    stop: () => (stopping ??= server.stop().then(unlock)),
  };
}

const urlOf = (port: number, password: string, database: string): string =>
  `postgres://${databaseName}:${password}@127.0.0.1:${port}/${database}`;

async function createDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [databaseName]);
    if (rowCount === 0) await client.query(`create database ${databaseName}`);
  } finally {
    await client.end();
  }
}

/**
 * The port to listen on at 127.0.0.1: the one asked for, else last time's if it is free, else any free one.
 * @throws Error in one line when the port asked for is taken
 */
async function choosePort(folder: string, asked: number | undefined): Promise<number> {
  if (asked === undefined) return freePort(Number(await readFile(portFile(folder), 'utf8').catch(() => '')) || 0);
  if (await isFree(asked)) return asked;
  throw new Error(`port ${asked} for PostgreSQL is taken: free it, or choose another`);
}

/** Notes the port for the next start. */
const rememberPort = (folder: string, port: number): Promise<void> => writeFile(portFile(folder), `${port}\n`);

const portFile = (folder: string): string => join(folder, 'port');

/** The server's password, made at random the first time and kept where only we can read it. */
async function keptPassword(folder: string): Promise<string> {
  const file = join(folder, 'password');
  const kept = await readFile(file, 'utf8').catch(() => '');
  if (kept !== '') return kept.trim();
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600, flush: true });
  return password;
}
