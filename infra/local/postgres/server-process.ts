import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync, realpathSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import pg from 'pg';
import { type DetachedProcess, startDetached } from '../detached-process.ts';
import { POSTGRES, isZombie, stopProcess } from '../stop-process.ts';
import { serverEnvironment, type ServerUser } from './server-user.ts';

export type ServerProcess = Pick<DetachedProcess, 'pid' | 'ended' | 'stop'>;

/** The server ended before it took connections. `output`: what it wrote. */
export class ServerDidNotStart extends Error {
  override name = 'ServerDidNotStart';
  readonly output: string;
  constructor(output: string, logFile: string) {
    super(`PostgreSQL did not start: ${lastReason(output)} (whole log: ${logFile})`);
    this.output = output;
  }
}

/**
 * Starts the server and waits until it takes connections.
 * @param url the connection URL with which it is tried
 * @throws ServerDidNotStart
 */
export async function startServerProcess(options: {
  readonly program: string;
  readonly args: readonly string[];
  readonly user: ServerUser | null;
  readonly folder: string;
  readonly url: string;
}): Promise<ServerProcess> {
  const logFile = join(options.folder, 'server.log');
  const { program, args, user, url } = options;
  const server = startDetached(POSTGRES, { program, args, user, cwd: '/', env: serverEnvironment(), logFile });
  while (!(await answers(url))) {
    if (!server.isRunning()) throw new ServerDidNotStart(server.output() || (await server.ended), logFile);
    await sleep(20);
  }
  return server;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // 28P01: the server is up and does not know our password; waiting does not help.
    if ((error as { code?: string }).code === '28P01') throw wrongPassword(error);
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

const wrongPassword = (cause: unknown): Error =>
  new Error(
    'PostgreSQL refuses the password kept in the data folder: bring back the file `password` that belongs to it',
    {
      cause,
    },
  );

function lastReason(output: string): string {
  const lines = output.split('\n');
  const fatal = lines.findLast((line) => /FATAL|PANIC|error while loading/.test(line));
  return (fatal ?? lines.at(-1) ?? '').replace(/^.*?(FATAL|PANIC):\s*/, '');
}

/** Settings of the server, by PostgreSQL's names. */
export type ServerSettings = Readonly<Record<string, string | number>>;

/** What Workledger needs: durable commits, a local server that only a password opens, room for bursts of appends. */
const defaults: ServerSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  password_encryption: 'scram-sha-256',
  fsync: 'on',
  synchronous_commit: 'on',
  max_connections: 100,
  shared_buffers: '128MB',
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  wal_compression: 'pglz',
  idle_in_transaction_session_timeout: '60s',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  log_checkpoints: 'off',
  cluster_name: 'workledger',
};

/** Command line of the server: its folder, its port, and the settings. */
export const serverArguments = (cluster: string, port: number, settings: ServerSettings): string[] => [
  '-D',
  cluster,
  '-p',
  String(port),
  ...Object.entries({ ...defaults, ...settings }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];

/**
 * Clears away what a killed Workledger or a killed server left behind: a server that still runs on the cluster is stopped in
 * order (its settings and its log belong to the process that started it), a lock file without a living server is removed.
 * Call it only as the holder of the data folder's lock.
 * @throws Error in one line when the server does not stop
 */
export async function clearLeftovers(cluster: string, log: (line: string) => void): Promise<void> {
  const lockFile = join(cluster, 'postmaster.pid');
  const text = await readFile(lockFile, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw new Error(
      `cannot read ${lockFile} (${error.code}): was Workledger last started by another user? Start it as that one`,
    );
  });
  const pid = Number(text.split('\n')[0]);
  if (!(pid > 1)) return;
  if (isServerOn(cluster, pid)) {
    log(`PostgreSQL (process ${pid}) is still running from last time: stopping it`);
    await stopProcess(POSTGRES, pid, () => isServerOn(cluster, pid));
  }
  await rm(lockFile, { force: true });
}

/** Whether that process is alive and is the server on this cluster, and not a later process under a pid used again. */
export function isServerOn(cluster: string, pid: number): boolean {
  if (isZombie(pid)) return false;
  try {
    if (process.platform !== 'linux') return commandOf(pid).includes(cluster);
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    // A server's child shows a title of its own (`postgres: checkpointer`) and no arguments.
    if (!/(^|\/)postgres$/.test(program)) return false;
    return args.includes(cluster) || realpathSync(`/proc/${pid}/cwd`) === cluster;
  } catch {
    return false;
  }
}

const commandOf = (pid: number): string =>
  execFileSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8', timeout: 5_000 });
