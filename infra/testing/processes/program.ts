import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const ROOT = resolve(import.meta.dirname, '../../..');

export type Program = {
  readonly pid: number;
  /** What it wrote so far; `output` is both. */
  readonly written: { readonly stdout: string; readonly stderr: string; readonly output: string };
  /** The whole lines of its standard output so far. */
  lines(): string[];
  isRunning(): boolean;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Waits until its output matches. @throws Error with all it wrote when it ends before */
  until(pattern: RegExp): Promise<RegExpExecArray>;
  /** Gives it a line to read; null: there will be no more. Only with `reads`. */
  tell(line: string | null): void;
  signal(name: NodeJS.Signals): void;
  /** Sends it a signal, and waits until it is gone; does nothing when it is. */
  end(name: NodeJS.Signals): Promise<void>;
};

export type ProgramOptions = {
  /** Default: the repository's root. */
  readonly cwd?: string;
  /** Besides PATH, HOME and LANG. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whether it has a standard input, which a test writes to and closes. */
  readonly reads?: boolean;
  /** Is told what it writes to its error stream. */
  readonly onErrorOutput?: (text: string) => void;
};

/** A program of ours as a process of its own. @param source its file, below the repository's root or absolute */
export const startProgram = (source: string, args: readonly string[], options: ProgramOptions = {}): Program =>
  startCommand(process.execPath, [...nodeArguments(resolve(ROOT, source)), ...args], options);

/** Any command, in a process group of its own. It ends when this process does. */
export function startCommand(command: string, args: readonly string[], options: ProgramOptions = {}): Program {
  const { cwd = ROOT, environment = {}, reads = false, onErrorOutput = () => undefined } = options;
  const { PATH, HOME, LANG } = process.env;
  const env = { PATH, HOME, LANG, ...environment };
  const stdin = reads ? 'pipe' : 'ignore';
  const child = spawn(command, args, { cwd, env, stdio: [stdin, 'pipe', 'pipe'], detached: true }) as Child;
  const written = {
    stdout: '',
    stderr: '',
    get output() {
      return this.stdout + this.stderr;
    },
  };
  const isRunning = (): boolean => child.exitCode === null && child.signalCode === null;
  const { ended, until } = follow(child, written);
  child.stderr.on('data', onErrorOutput);
  // Who is gone reads no more.
  child.stdin?.on('error', () => undefined);
  const gone = new Promise<void>((resolveGone) => child.once('exit', () => resolveGone()));
  living.add(child);
  child.once('exit', () => living.delete(child));
  return {
    pid: child.pid ?? 0,
    written,
    lines: () => written.stdout.split('\n').slice(0, -1),
    isRunning,
    ended,
    until,
    tell: (line) => void (line === null ? child.stdin?.end() : child.stdin?.write(`${line}\n`)),
    signal: (name) => void child.kill(name),
    end: async (name) => {
      if (!isRunning()) return;
      child.kill(name);
      await gone;
    },
  };
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

const living = new Set<Child>();
process.once('exit', () => living.forEach((child) => child.kill('SIGKILL')));

/** Keeps what a process writes, and tells who waits for it. */
function follow(
  child: Child,
  written: { stdout: string; stderr: string; readonly output: string },
): Pick<Program, 'ended' | 'until'> {
  const waiting = new Set<() => void>();
  const look = (): void => waiting.forEach((tell) => tell());
  let over = false;
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
      look();
    });
  const ended = new Promise<number | NodeJS.Signals>((resolveEnd, reject) => {
    child.once('error', (error) => {
      over = true;
      reject(error);
      look();
    });
    child.once('close', (code, signal) => {
      over = true;
      resolveEnd(code ?? signal ?? 'SIGKILL');
      look();
    });
  });
  const until = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolveMatch, reject) => {
      const tell = (): void => {
        const match = pattern.exec(written.output);
        if (match === null && !over) return;
        waiting.delete(tell);
        if (match !== null) resolveMatch(match);
        else reject(new Error(`it ended without ${pattern}:\n${written.output}`));
      };
      waiting.add(tell);
      tell();
    });
  return { ended, until };
}

/**
 * What Node is told to run a program of ours, its options aside: as the test run's set-up has built it, which takes a fifth of
 * the time, or from its source, where nothing was built.
 * @param source absolute
 */
export function nodeArguments(source: string): readonly string[] {
  const built = process.env['WORKLEDGER_TEST_PROGRAMS'];
  const program = built === undefined ? undefined : join(built, relative(ROOT, source).replace(/\.ts$/, '.js'));
  return program !== undefined && existsSync(program)
    ? [...(process.env['CI'] === undefined ? ['--enable-source-maps'] : []), program]
    : ['--import', import.meta.resolve('tsx'), source];
}

/** What a program of ours logged, message by message; a line that is none of its log as it is. */
export const messagesOf = (program: Pick<Program, 'lines'>): string[] =>
  program.lines().map((line) => {
    try {
      return String((JSON.parse(line) as { msg?: unknown }).msg);
    } catch {
      return line;
    }
  });
