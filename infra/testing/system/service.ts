import { startProgram } from '../processes/program.ts';

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
  const running = startProgram(program, options, { environment, onErrorOutput });
  const [, line = ''] = await running.until(/^Workledger is ready: (.+)\n/m);
  const [url = '', ...more] = line.split(' and ');
  if (more.length > 0) {
    await running.end('SIGKILL');
    throw new Error(`the gateway is missing:\n${running.written.output}`);
  }
  return {
    url,
    told: running.written.output,
    processes: () => (running.isRunning() ? [running.pid] : []),
    kill9: () => running.end('SIGKILL'),
    stop: async () => {
      const patience = setTimeout(() => running.signal('SIGKILL'), STOP_MILLISECONDS);
      await running.end('SIGTERM').finally(() => clearTimeout(patience));
    },
  };
}
