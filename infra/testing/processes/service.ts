import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { nodeArguments } from './node-arguments.ts';

export type Service = {
  readonly url: string;
  /** What it wrote until it was ready. */
  readonly told: string;
  /** Its processes while it runs. */
  processes(): readonly number[];
  kill9(): Promise<void>;
  /** SIGTERM, and what it drains; SIGKILL when it does not end by itself. */
  stop(): Promise<void>;
};

const root = resolve(import.meta.dirname, '../../..');
const STOP_MILLISECONDS = 30_000;

/**
 * Runs a starting program as a process of its own until it says where Workledger listens.
 * @param program below the repository's root
 * @throws Error with what it said instead
 */
export async function startService(
  program: string,
  options: readonly string[],
  onErrorOutput: (text: string) => void,
  environment: Readonly<Record<string, string | undefined>> = {},
): Promise<Service> {
  const { PATH, HOME, LANG } = process.env;
  const args = [...nodeArguments(join(root, program)), ...options];
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { PATH, HOME, LANG, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));

  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
    onErrorOutput(bytes.toString());
  });
  const url = await new Promise<string>((resolveUrl, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      said += `${line}\n`;
      const addresses = /^Workledger is ready: (.+)$/.exec(line)?.[1]?.split(' and ') ?? [];
      if (addresses.length > 1) reject(new Error(`the gateway is missing:\n${said}`));
      else if (addresses[0] !== undefined) resolveUrl(addresses[0]);
    });
    child.once('exit', (code) => reject(new Error(`the service ended with ${code} before it was ready:\n${said}`)));
  });
  return {
    url,
    told: said,
    processes: () => (hasEnded(child) || child.pid === undefined ? [] : [child.pid]),
    kill9: () => end(child, 'SIGKILL'),
    stop: async () => {
      const patience = setTimeout(() => child.kill('SIGKILL'), STOP_MILLISECONDS);
      await end(child, 'SIGTERM').finally(() => clearTimeout(patience));
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;
