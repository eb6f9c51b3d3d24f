import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { descendantsOf } from '../../testing/processes/processes.ts';
import { temporaryFolder } from '../../testing/processes/temporary-folder.ts';
import type { WorkerSettings } from './worker-settings.ts';
import { nodeArguments } from '../../testing/processes/node-arguments.ts';

const PROGRAM = fileURLToPath(new URL('worker.program.ts', import.meta.url));

export type Worker = {
  /** Its own; no other worker knows it. */
  readonly dataFolder: string;
  /** Whether this process is a program that the worker runs. */
  runs(pid: number): boolean;
  /** What it logged. */
  output(): string;
  /** SIGTERM, and an orderly end. */
  stop(): Promise<void>;
  /** SIGKILL; what it runs lives on. */
  kill9(): Promise<void>;
  /** Kills it if need be and removes its data folder. */
  dispose(): Promise<void>;
};

/** Starts a worker with a new data folder and waits until it works. */
export async function startWorker(settings: Omit<WorkerSettings, 'dataFolder'>): Promise<Worker> {
  const dataFolder = await temporaryFolder('worker');
  const process_ = spawn(
    process.execPath,
    [...nodeArguments(PROGRAM), JSON.stringify({ ...settings, dataFolder } satisfies WorkerSettings)],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [process_.stdout, process_.stderr]) stream.on('data', (bytes) => (output += String(bytes)));
  const ended = once(process_, 'exit');
  await Promise.race([
    new Promise<void>((resolve) => process_.stdout.on('data', () => output.includes('working\n') && resolve())),
    ended.then(() => Promise.reject(new Error(`the worker did not start: ${output}`))),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    process_.kill(signal);
    await ended;
  };
  return {
    dataFolder,
    runs: (pid) => descendantsOf(process_.pid ?? 0).includes(pid),
    output: () => output,
    stop: () => end('SIGTERM'),
    kill9: () => end('SIGKILL'),
    dispose: async () => {
      if (process_.exitCode === null && process_.signalCode === null) await end('SIGKILL');
      await rm(dataFolder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
