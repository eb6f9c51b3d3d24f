import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { nodeArguments } from '@workledger/infra/testing/processes/node-arguments.ts';

const PROGRAM = fileURLToPath(new URL('./relay.program.ts', import.meta.url));

export type RelayProcess = {
  readonly pid: number;
  /** The messages that it logged. */
  readonly said: string[];
  signal(name: NodeJS.Signals): void;
  /** Ends it, frozen or not; resolves when it is gone. */
  kill(name?: NodeJS.Signals): Promise<void>;
};

/** Starts a relay that publishes to the table of arrivals. */
export function startRelayProcess(url: string, leaseMilliseconds: number, publishMilliseconds: number): RelayProcess {
  const args = [...nodeArguments(PROGRAM), url, String(leaseMilliseconds), String(publishMilliseconds)];
  const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const said: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => said.push(String(JSON.parse(line)['msg'])));
  return {
    pid: child.pid!,
    said,
    signal: (name) => void child.kill(name),
    kill: async (name = 'SIGKILL') => {
      child.kill(name);
      await exited;
    },
  };
}
