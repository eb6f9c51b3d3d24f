import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '../processes/node-arguments.ts';

export type Starter = {
  readonly brokers: string;
  readonly pid: number;
  readonly error: string;
  /** SIGKILL to the starter alone: the broker goes on. */
  kill(): Promise<void>;
};

/** Runs starter.program.ts until it has said that the broker runs, or why not. */
export async function runStarter(folder: string, environment: Record<string, string> = {}): Promise<Starter> {
  const program = fileURLToPath(new URL('./kafka-starter.program.ts', import.meta.url));
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [...nodeArguments(program), folder], { env });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), once(child, 'exit')])) as [unknown];
  if (typeof line !== 'string') throw new Error(`the starter ended without a word: ${said}`);
  const { brokers = '', pid = 0, error = '' } = JSON.parse(line) as Partial<Starter>;
  return {
    brokers,
    pid,
    error,
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
