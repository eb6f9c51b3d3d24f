import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Fault } from './faults.ts';
import type { Counts, DoubleServer } from './server.ts';
import { nodeArguments } from '@workledger/infra/testing/processes/program.ts';

const PROGRAM = fileURLToPath(new URL('./double.program.ts', import.meta.url));

/**
 * Starts the double as a process of its own: what it keeps outlives whoever uses it, but not the process that started it.
 * @param port to listen on; default: any that is free
 */
export async function startDouble(port = 0): Promise<DoubleServer> {
  const child = spawn(process.execPath, [...nodeArguments(PROGRAM), String(port)], {
    cwd: dirname(PROGRAM),
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'] },
  });
  const ended = once(child, 'exit');
  const [line] = (await Promise.race([
    once(createInterface(child.stdout), 'line'),
    ended.then(() => Promise.reject(new Error(`${PROGRAM} ended before it listened`))),
  ])) as [string];
  const { connectionString, control } = JSON.parse(line) as { connectionString: string; control: string };
  return {
    connectionString,
    fault: async (fault: Fault) => {
      const { status } = await fetch(`${control}/${fault}`, { method: 'POST' });
      if (status !== 204) throw new Error(`the double answered ${status} to ${fault}`);
    },
    counts: async () => (await (await fetch(`${control}/counts`)).json()) as Counts,
    close: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
