import { spawn, type ChildProcess } from 'node:child_process';
import { delimiter, isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createCappedOutput } from './capped-output.ts';
import { killGroup, killProcessesIn } from './processes.ts';

export type ProcessOptions = {
  /** Executable and arguments; there is no shell. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment; see `childEnvironment`. */
  readonly environment: Readonly<Record<string, string>>;
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs: number;
  /** Bytes kept of the output: its head and its tail. */
  readonly maxOutputBytes: number;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly graceMs?: number;
  /** Also kill what left the group but works in `cwd` (Linux); for programs that we do not know. */
  readonly killStrays?: boolean;
  /** Called in the same tick in which the process was started. */
  readonly onStart?: (pid: number) => void;
};

export type ProcessResult = {
  readonly ended: 'exit' | 'timeout' | 'aborted';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Both, as they came. */
  readonly output: Buffer;
  readonly droppedBytes: number;
};

/** The program could not be started at all: it is missing, not executable, or its folder is. */
export class ProcessNotStarted extends Error {
  override name = 'ProcessNotStarted';
}

const GRACE_MS = 2_000;
/** What the pipes still hold is read within this time after the end; somebody else may keep them open for ever. */
const DRAIN_MS = 500;

/**
 * Runs one program in a process group of its own and ends the whole group with it: after a timeout, on abort, and
 * also after its normal exit, so that nothing it started stays behind.
 * @throws ProcessNotStarted
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  const [executable, ...args] = options.command;
  if (executable === undefined) throw new ProcessNotStarted('the command is empty: name an executable');
  options.signal?.throwIfAborted();

  const startedAt = performance.now();
  const child = start(executable, args, options);
  const collected = collect(child, options.maxOutputBytes);
  const exited = exitOf(child, executable, options.cwd);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  if (child.pid !== undefined) options.onStart?.(child.pid);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin ?? '');

  const graceMs = options.graceMs ?? GRACE_MS;
  const ended = await firstEnd(exited, options);
  const group = child.pid;
  if (group !== undefined) await killGroup(group, graceMs);
  if (options.killStrays === true) await killProcessesIn([options.cwd]);
  const { exitCode, signal } = await exited;
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();

  return { ended, exitCode, signal, durationMs: Math.round(performance.now() - startedAt), ...collected() };
}

function start(executable: string, args: readonly string[], options: ProcessOptions): ChildProcess {
  try {
    return spawn(executable, args, {
      cwd: options.cwd,
      env: options.environment,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    throw new ProcessNotStarted(`cannot start "${executable}": ${String(error)}`, { cause: error });
  }
}

function collect(child: ChildProcess, limit: number) {
  const stdout = createCappedOutput(limit);
  const stderr = createCappedOutput(limit);
  const output = createCappedOutput(limit);
  for (const [stream, own] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    stream?.on('error', () => undefined);
    stream?.on('data', (chunk: Buffer) => {
      own.write(chunk);
      output.write(chunk);
    });
  }
  return () => ({
    stdout: stdout.bytes(),
    stderr: stderr.bytes(),
    output: output.bytes(),
    droppedBytes: output.dropped(),
  });
}

type Exit = { exitCode: number | null; signal: NodeJS.Signals | null };

function exitOf(child: ChildProcess, executable: string, cwd: string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) return;
      const why = error.code === 'ENOENT' ? 'not found on PATH (or the folder is missing)' : error.message;
      reject(new ProcessNotStarted(`cannot start "${executable}" in ${cwd}: ${why}`, { cause: error }));
    });
  });
}

async function firstEnd(exited: Promise<Exit>, options: ProcessOptions): Promise<ProcessResult['ended']> {
  const { signal, timeoutMs } = options;
  const done = new AbortController();
  const timeout = sleep(timeoutMs, 'timeout' as const, { signal: done.signal });
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal?.aborted === true) resolve('aborted');
    signal?.addEventListener('abort', () => resolve('aborted'), { once: true, signal: done.signal });
  });
  timeout.catch(() => undefined);
  try {
    return await Promise.race([exited.then(() => 'exit' as const), timeout, aborted]);
  } finally {
    done.abort();
  }
}

const ALWAYS = ['HOME', 'LANG'] as const;

/**
 * The whole environment of a child process: PATH, HOME, LANG and the variables named, nothing else.
 * Relative entries of PATH are left out: in a worktree they would let the branch choose the program.
 */
export function childEnvironment(
  named: readonly string[] = [],
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const path = (from['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter(isAbsolute).join(delimiter);
  const environment: Record<string, string> = {};
  for (const name of [...ALWAYS, ...named]) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, PATH: path };
}
