import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { Attempt } from './rival.ts';
import { nodeArguments } from '../../testing/processes/node-arguments.ts';

const program = fileURLToPath(new URL('rival.program.ts', import.meta.url));

/** A child process that competes for streams; it begins with `go`, so that several can begin together. */
export type RivalProcess = { readonly ready: Promise<void>; go(): Promise<readonly Attempt[]> };

export function startRival(engine: string, address: string, streams: readonly string[], events: number): RivalProcess {
  const child = spawn(
    process.execPath,
    [...nodeArguments(program), engine, address, streams.join(','), String(events)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => {
    const next = await lines.next();
    if (next.done === true) throw new Error(`the rival process ${child.pid} ended before its time`);
    return next.value;
  };
  const ready = line().then(() => undefined);
  return {
    ready,
    go: async () => {
      await ready;
      child.stdin.write('go\n');
      return JSON.parse(await line()) as Attempt[];
    },
  };
}
