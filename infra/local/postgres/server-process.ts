import { spawn } from 'node:child_process';
import { closeSync, openSync, readSync, fstatSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { serverEnvironment } from './run-command.ts';
import type { ServerUser } from './server-user.ts';
import { POSTGRES, stopProcess } from '../stop-process.ts';

const logLimit = 10_000_000;

export type ServerProcess = {
  readonly pid: number;
  /** Fast shutdown; resolves when the process is gone. */
  stop(): Promise<void>;
  /** Resolves when the process has ended, for whatever reason, with how it ended. */
  readonly ended: Promise<string>;
};

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
 * Starts the server in a process group of its own (Ctrl-C must reach us first) and waits until it takes connections. Its log
 * is a file, not a pipe: it must outlive us.
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
  keepShort(logFile);
  const log = openSync(logFile, 'a+', 0o600);
  const logStart = fstatSync(log).size;
  const child = spawn(options.program, options.args, {
    ...options.user,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', log, log],
    detached: true,
  });
  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).finally(() => (running = false));
  child.unref();
  try {
    while (!(await answers(options.url))) {
      if (!running) throw new ServerDidNotStart(readFrom(log, logStart) || (await ended), logFile);
      await sleep(20);
    }
  } finally {
    closeSync(log);
  }
  const pid = child.pid ?? 0;
  return { pid, ended, stop: () => (running ? stopProcess(POSTGRES, pid, () => running) : Promise.resolve()) };
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

function keepShort(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > logLimit) renameSync(file, `${file}.1`);
}

function readFrom(file: number, start: number): string {
  const bytes = Buffer.alloc(Math.min(Math.max(fstatSync(file).size - start, 0), 100_000));
  readSync(file, bytes, 0, bytes.length, start);
  return bytes.toString('utf8').trim();
}

function lastReason(output: string): string {
  const lines = output.split('\n');
  const fatal = lines.findLast((line) => /FATAL|PANIC|error while loading/.test(line));
  return (fatal ?? lines.at(-1) ?? '').replace(/^.*?(FATAL|PANIC):\s*/, '');
}
