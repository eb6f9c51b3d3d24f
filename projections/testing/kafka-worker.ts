import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '@workledger/infra/testing/processes/node-arguments.ts';

const PROGRAM = fileURLToPath(new URL('./run-over-kafka.program.ts', import.meta.url));

export type WorkerArguments = {
  readonly brokers: readonly string[];
  readonly topicPrefix: string;
  readonly databaseUrl: string;
  readonly freezeAt?: string;
};

export type KafkaWorker = {
  readonly pid: number;
  /** How often it has said this so far. */
  said(line: string): number;
  /** With -9. */
  kill(): Promise<void>;
};

export function startKafkaWorker(given: WorkerArguments): KafkaWorker {
  const child = spawn(process.execPath, [...nodeArguments(PROGRAM), JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    pid: child.pid ?? 0,
    said: (line) => output.split('\n').filter((said) => said === line).length,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
