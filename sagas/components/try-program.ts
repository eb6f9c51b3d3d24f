import { mkdir, mkdtemp, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createTurns } from '@workledger/shared/resilience/in-turn.ts';
import { removeFolder } from './process/folders.ts';
import type { SandboxLimits } from './process/control-group.ts';
import { childEnvironment, ProcessNotStarted, runProcess } from './process/run-process.ts';
import type { Sandbox } from './sandbox/policy.ts';
import { Unfit } from './state.ts';

/** Where programs are tried. */
export type TrialPlace = { readonly dataFolder: string; readonly sandbox?: Sandbox | null | undefined };

export type Trial = {
  readonly command: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Absolute paths that it may read beside the system. */
  readonly readable?: readonly string[];
  readonly limits?: SandboxLimits;
};

const MILLISECONDS = 20_000;
/** For the check around it. */
export const TRIAL_PATIENCE = 2 * MILLISECONDS;
const OUTPUT_BYTES = 10_000;
const UNLIMITED: SandboxLimits = { memoryBytes: null, processes: null, diskBytes: null, cpuSeconds: null };

/**
 * Runs a program that does no work, in a folder and a home of its own, without network, in the sandbox where there is one.
 * @returns what it printed @throws Unfit where it does not end with 0
 */
export async function tryProgram(
  { dataFolder, sandbox }: TrialPlace,
  { command, environment = {}, readable = [], limits = UNLIMITED }: Trial,
  signal: AbortSignal,
): Promise<string> {
  const temporary = join(dataFolder, 'temporary');
  await mkdir(temporary, { recursive: true });
  const folder = await mkdtemp(join(temporary, 'trial-'));
  const own = join(folder, 'own');
  const home = join(folder, 'home');
  const name = basename(command[0] ?? '');
  try {
    await Promise.all([mkdir(own), mkdir(home)]);
    const hidden = [dataFolder, ...(sandbox?.hidden ?? [])];
    const policy = { writable: [own], readable, home, hosts: [], limits, hidden, temporary: own };
    const result = await runProcess({
      ...{ command, cwd: own, sandbox: sandbox ? policy : null, limits, signal },
      environment: { ...childEnvironment(), ...environment, HOME: home },
      ...{ timeoutMs: MILLISECONDS, maxOutputBytes: OUTPUT_BYTES },
    });
    signal.throwIfAborted();
    if (result.ended === 'timeout') throw new Unfit(`"${name}" does not end within ${MILLISECONDS / 1_000} s`);
    if (result.limit !== null) throw new Unfit(`"${name}" is over its limit of ${result.limit}`);
    if (result.exitCode !== 0) throw new Unfit(`"${name}" ends with ${result.exitCode ?? result.signal ?? 'nothing'}`);
    return result.stdout.toString('utf8');
  } catch (error) {
    if (error instanceof ProcessNotStarted) throw new Unfit(`"${name}" cannot be started`);
    throw error;
  } finally {
    await removeFolder(folder);
  }
}

const GOOD_MILLISECONDS = 3_600_000;
const BAD_MILLISECONDS = 300_000;

/**
 * Tries the same program again only when its file changed, or after an hour; one that failed after five minutes.
 * @returns what it found, or throws it again
 */
export function createTrials(now: () => number = () => performance.now()) {
  const known = new Map<string, { readonly at: number; readonly found: string | Unfit }>();
  const inTurn = createTurns();
  return async (files: readonly string[], attempt: () => Promise<string>): Promise<string> => {
    const name = JSON.stringify(await Promise.all(files.map(stampOf)));
    return inTurn(name, async () => {
      const before = known.get(name);
      const rest = before?.found instanceof Unfit ? BAD_MILLISECONDS : GOOD_MILLISECONDS;
      if (before === undefined || now() - before.at >= rest)
        known.set(name, { at: now(), found: await attempt().catch(asUnfit) });
      const { found } = known.get(name)!;
      if (found instanceof Unfit) throw found;
      return found;
    });
  };
}

function asUnfit(error: unknown): Unfit {
  if (error instanceof Unfit) return error;
  throw error as Error;
}

/** A file as it is now: another one, or a changed one, is tried anew. */
async function stampOf(path: string): Promise<readonly [string, number]> {
  const real = await realpath(path).catch(() => path);
  return [
    real,
    await stat(real).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    ),
  ];
}
