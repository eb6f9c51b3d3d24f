import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { stopProcess, type Farewell } from './stop-process.ts';

const LONGEST_LOG = 10_000_000;
const MOST_OUTPUT = 100_000;

export type DetachedProcess = {
  readonly pid: number;
  isRunning(): boolean;
  /** Resolves when the process has ended, for whatever reason, with how. */
  readonly ended: Promise<string>;
  /** What it wrote since it was started: the first 100 kB. */
  output(): string;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
};

export type DetachedOptions = {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Appended to; one that has grown long is put aside first. */
  readonly logFile: string;
  /** Default: ours. */
  readonly user?: { readonly uid: number; readonly gid: number } | null;
};

/**
 * Starts a server in a process group of its own: Ctrl-C must reach us first. Its log is a file, not a pipe: it must outlive us.
 * A program that cannot be started tells so as its end.
 */
export function startDetached(farewell: Farewell, options: DetachedOptions): DetachedProcess {
  const { program, args, cwd, env, logFile, user } = options;
  if ((statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > LONGEST_LOG) renameSync(logFile, `${logFile}.1`);
  const log = openSync(logFile, 'a', 0o600);
  const logStart = fstatSync(log).size;
  const child = spawn(program, args, { ...user, cwd, env, stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  let running = true;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).finally(() => (running = false));
  child.unref();
  const pid = child.pid ?? 0;
  return {
    pid,
    isRunning: () => running,
    ended,
    output: () => readFrom(logFile, logStart),
    stop: () => stopProcess(farewell, pid, () => running),
  };
}

function readFrom(file: string, start: number): string {
  const log = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(Math.min(Math.max(fstatSync(log).size - start, 0), MOST_OUTPUT));
    readSync(log, bytes, 0, bytes.length, start);
    return bytes.toString('utf8').trim();
  } finally {
    closeSync(log);
  }
}
