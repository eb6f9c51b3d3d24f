import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { nodeArguments } from './node-arguments.ts';

const LOOK_MILLISECONDS = 25;

export type Program = {
  readonly child: ChildProcess;
  /** What it wrote so far; `output` is both. */
  readonly written: { stdout: string; stderr: string; readonly output: string };
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Waits until its output matches. @throws Error with all it wrote when it ends before */
  until(pattern: RegExp): Promise<RegExpExecArray>;
};

export type ProgramOptions = { readonly cwd: string; readonly environment?: Readonly<Record<string, string>> };

/** A program of this folder (`start.ts`, `demo/main.ts`), as npm would start it. */
export const startProgram = (file: string, args: readonly string[], options: ProgramOptions): Program =>
  startCommand(
    process.execPath,
    [...nodeArguments(fileURLToPath(new URL(`../../local/${file}`, import.meta.url))), ...args],
    options,
  );

/** Any command, in a process group of its own. */
export function startCommand(command: string, args: readonly string[], { cwd, environment }: ProgramOptions): Program {
  const { PATH = '', HOME = '/' } = process.env;
  const child = spawn(command, args, {
    cwd,
    env: { PATH, HOME, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const written = {
    stdout: '',
    stderr: '',
    get output() {
      return this.stdout + this.stderr;
    },
  };
  child.stdout.on('data', (chunk: Buffer) => (written.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (written.stderr += chunk.toString()));
  let over = false;
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      over = true;
      resolve(code ?? signal ?? 'SIGKILL');
    });
  });
  const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const last = over;
      const match = pattern.exec(written.output);
      if (match !== null) return match;
      if (last) throw new Error(`it ended without ${pattern}:\n${written.output}`);
      await pause(LOOK_MILLISECONDS);
    }
  };
  return { child, written, ended, until };
}
