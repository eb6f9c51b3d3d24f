import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { delimiter, isAbsolute } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { usualUmask } from '@workledger/shared/service/program.ts';
import { createCappedOutput } from './capped-output.ts';
import { enterRun, type ProcessOptions, type Run } from './enter-run.ts';
import { type Watch, watchLimits } from './limits.ts';
import { isGoneWithin, kill, killGroup, killProcessesIn } from './processes.ts';
import { killMarked, treeOf } from './tree.ts';

export type { ProcessOptions };

export type ProcessResult = {
  readonly ended: 'exit' | 'timeout' | 'aborted' | 'limit';
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Both, as they came. */
  readonly output: Buffer;
  readonly droppedBytes: number;
  /** The limit that it was over, and was ended for: `memory: 4 GiB`. */
  readonly limit: string | null;
};

/** The program could not be started at all: it is missing, not executable, or its folder is. */
export class ProcessNotStarted extends Error {
  override name = 'ProcessNotStarted';
}

export const GRACE_MS = 2_000;
/** What the pipes still hold is read within this time after the end; somebody else may keep them open for ever. */
const DRAIN_MS = 500;

/**
 * Runs one program in a process group of its own, in a sandbox where one is asked for, and ends everything that it started with it: after
 * a timeout, on abort, over a limit, and also after its normal exit, so that nothing stays behind.
 * @throws ProcessNotStarted
 */
export async function runProcess(options: ProcessOptions): Promise<ProcessResult> {
  if (options.command[0] === undefined) throw new ProcessNotStarted('the command is empty: name an executable');
  options.signal?.throwIfAborted();
  const run = await enterRun(options);
  try {
    return await runEntered(run, options);
  } finally {
    await run.leave();
  }
}

async function runEntered(run: Run, options: ProcessOptions): Promise<ProcessResult> {
  const startedAt = performance.now();
  const child = start(run, options);
  const collected = collect(child, options);
  const exited = exitOf(child, run.command[0] ?? '', options.cwd);
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const told = options.sandbox ? listen(child.stdio[3] as Readable) : null;
  if (child.pid !== undefined) options.onStart?.(child.pid, run.group?.folders ?? []);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin ?? '');

  const watch = watchOf(child, run, options);
  const ended = await firstEnd(exited, options, watch);
  if (child.pid !== undefined) await endAll(child.pid, told, options);
  const limit = (await watch?.stop()) ?? null;
  const { exitCode, signal } = await exited;
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
  for (const stream of child.stdio) stream?.destroy();

  const output = collected();
  if (told !== null && ended === 'exit' && limit === null && signal === null && !told().ran)
    throw notEntered(output.stderr);
  const durationMs = Math.round(performance.now() - startedAt);
  return { ended: limit === null ? ended : 'limit', exitCode, signal, durationMs, ...output, limit };
}

function watchOf(child: ChildProcess, { group }: Run, { limits, sandbox, mark, cwd }: ProcessOptions): Watch | null {
  const held = limits ?? sandbox?.limits;
  if (held === undefined || child.pid === undefined) return null;
  const folders = sandbox ? [...sandbox.writable, sandbox.home] : [cwd];
  return watchLimits(held, { pid: child.pid, mark, group, folders });
}

/** How long the kernel may take to remove what was killed. */
const SETTLE_MS = 2_000;
const TOLD_MS = 50;

/** In a sandbox all ends with its first process; outside, what left the group is known by its mark and by where it works. */
async function endAll(pid: number, told: (() => Told) | null, options: ProcessOptions): Promise<void> {
  const graceMs = options.graceMs ?? GRACE_MS;
  if (told === null) {
    await killGroup(pid, graceMs);
    if (options.mark !== undefined) await killMarked(options.mark);
    if (options.killStrays === true) await killProcessesIn([options.cwd]);
    return;
  }
  // What it wrote may still be on its way to us.
  if (told().first === null) await sleep(TOLD_MS);
  const { first } = told();
  if (first !== null && graceMs > 0) for (const inside of treeOf(first)) if (inside !== first) kill(inside, 'SIGTERM');
  await isGoneWithin(pid, first === null ? 0 : graceMs);
  kill(-pid);
  if (first !== null) await isGoneWithin(first, SETTLE_MS);
}

type Told = {
  /** The sandbox's first process, as this side counts; null: not made yet. */
  readonly first: number | null;
  /** The program itself was reached. */
  readonly ran: boolean;
};

/** What bubblewrap tells while it works: one JSON object a line. */
function listen(status: Readable): () => Told {
  let text = '';
  status.on('error', () => undefined);
  status.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  return () => {
    const first = /"child-pid": (\d+)/.exec(text)?.[1];
    return { first: first === undefined ? null : Number(first), ran: text.includes('"exit-code"') };
  };
}

function notEntered(stderr: Buffer): ProcessNotStarted {
  const said = stderr.toString('utf8').trim().split('\n').at(-1) ?? '';
  const missing = /^bwrap: execvp (.*): No such file or directory$/.exec(said)?.[1];
  if (missing !== undefined) return new ProcessNotStarted(`cannot start "${missing}" in the sandbox: not found`);
  return new ProcessNotStarted(`the sandbox could not be entered: ${said}`);
}

function start({ command, environment }: Run, options: ProcessOptions): ChildProcess {
  const [executable = '', ...args] = command;
  // The child has ours from its first moment on; nothing else runs between these lines.
  const umask = options.usualUmask === true ? usualUmask() : null;
  const ours = umask === null ? null : process.umask(umask);
  try {
    return spawn(executable, args, {
      cwd: options.cwd,
      env: environment,
      detached: true,
      shell: false,
      windowsHide: true,
      stdio: ['pipe', 'pipe', 'pipe', ...(options.sandbox ? (['pipe'] as const) : [])],
    });
  } catch (error) {
    throw new ProcessNotStarted(`cannot start "${executable}": ${String(error)}`, { cause: error });
  } finally {
    if (ours !== null) process.umask(ours);
  }
}

function collect(child: ChildProcess, { maxOutputBytes: limit, onOutput }: ProcessOptions) {
  const stdout = createCappedOutput(limit);
  const stderr = createCappedOutput(limit);
  const output = createCappedOutput(limit);
  for (const [stream, own, from] of [
    [child.stdout, stdout, 'stdout'],
    [child.stderr, stderr, 'stderr'],
  ] as const) {
    stream?.on('error', () => undefined);
    stream?.on('data', (chunk: Buffer) => {
      own.write(chunk);
      output.write(chunk);
      onOutput?.(chunk, from);
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

async function firstEnd(
  exited: Promise<Exit>,
  options: ProcessOptions,
  watch: Watch | null,
): Promise<ProcessResult['ended']> {
  const { signal, timeoutMs } = options;
  const done = new AbortController();
  const timeout = sleep(timeoutMs, 'timeout' as const, { signal: done.signal });
  const aborted = new Promise<'aborted'>((resolve) => {
    if (signal?.aborted === true) resolve('aborted');
    signal?.addEventListener('abort', () => resolve('aborted'), { once: true, signal: done.signal });
  });
  timeout.catch(() => undefined);
  try {
    const over = watch === null ? [] : [watch.exceeded.then(() => 'limit' as const)];
    return await Promise.race([exited.then(() => 'exit' as const), timeout, aborted, ...over]);
  } finally {
    done.abort();
  }
}

const ALWAYS = ['HOME', 'LANG'] as const;

/** What npm puts in front of PATH for the scripts of a package: those programs are Workledger's own, not the work's. */
const OF_NPM = /\/node_modules\/\.bin\/?$|\/node-gyp-bin\/?$/;

/**
 * The whole environment of a child process: PATH, HOME, LANG and the variables named, nothing else. Relative entries of PATH are left
 * out: in a worktree they would let the branch choose the program. So is what npm put in front of it.
 */
export function childEnvironment(
  named: readonly string[] = [],
  from: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const entries = (from['PATH'] ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter(isAbsolute);
  const first = entries.findIndex((entry) => !OF_NPM.test(entry));
  const path = (first < 0 ? [] : entries.slice(first)).join(delimiter);
  const environment: Record<string, string> = {};
  for (const name of [...ALWAYS, ...named]) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  return { ...environment, PATH: path };
}
