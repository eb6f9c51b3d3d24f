import { oneLine } from '../telemetry/one-line.ts';

/** Ends the program with the error's own words and exit code 1. */
export function fail(error: unknown): never {
  process.stderr.write(`${oneLine(error)}\n`);
  process.exit(1);
}

let before: number | null = null;

/** From now on nobody else reads what this process and its children write. Once, as a program starts. */
export function keepToOurselves(): void {
  before ??= process.umask(0o077);
}

/** What the user's own programs leave out of the modes of new files; null: this process leaves out no more. */
export const usualUmask = (): number | null => before;

/** Ctrl-C in a terminal reaches us twice at once: from the terminal, and handed on by npm. */
const TOGETHER_MILLISECONDS = 1_000;

/**
 * Resolves with the first SIGINT or SIGTERM. Who is impatient and sends another one later ends the program at once, exit code 130:
 * what it leaves behind is cleared at the next start.
 */
export const stopSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    let first: number | null = null;
    const hear = (signal: NodeJS.Signals): void => {
      first ??= performance.now();
      if (performance.now() - first > TOGETHER_MILLISECONDS) process.exit(130);
      resolve(signal);
    };
    process.on('SIGINT', hear).on('SIGTERM', hear);
  });

/** Resolves when the program that started this one over a channel is gone, however it died; never without a channel. */
export const launcherIsGone = (): Promise<'launcher is gone'> =>
  new Promise((resolve) => {
    if (process.connected) process.once('disconnect', () => resolve('launcher is gone'));
  });
