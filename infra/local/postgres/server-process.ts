import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { serverEnvironment } from './run-command.ts';
import type { ServerUser } from './server-user.ts';
import { startDetached, type DetachedProcess } from '../detached-process.ts';
import { POSTGRES } from '../stop-process.ts';

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
