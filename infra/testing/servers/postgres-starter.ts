import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { ServerUser } from '../../local/postgres/server-user.ts';
import { nodeArguments } from '../processes/node-arguments.ts';

export type Starter = {
  readonly url: string;
  readonly pid: number;
  readonly error: string;
  /** SIGKILL to the starter alone: the server goes on. */
  kill(): Promise<void>;
  /** Lets it stop in order. */
  end(): Promise<void>;
};

/** Runs starter.program.ts until it has said that the server runs, or why not. */
export async function runStarter(options: { folder: string; native?: string; user?: ServerUser }): Promise<Starter> {
  const program = fileURLToPath(new URL('./postgres-starter.program.ts', import.meta.url));
  const child = spawn(process.execPath, [...nodeArguments(program), JSON.stringify(options)]);
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')])) as [unknown];
  if (typeof line !== 'string') throw new Error(`the starter ended without a word: ${said}`);
  const { url = '', pid = 0, error = '' } = JSON.parse(line) as { url?: string; pid?: number; error?: string };
  return {
    url,
    pid,
    error,
    kill: () => ended(child, () => child.kill('SIGKILL')),
    end: () => ended(child, () => child.stdin.end()),
  };
}

async function ended(child: ChildProcessWithoutNullStreams, how: () => unknown): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  how();
  await exit;
}
