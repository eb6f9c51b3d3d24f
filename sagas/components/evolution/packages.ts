import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTurns } from '@workledger/shared/resilience/in-turn.ts';
import { ComponentFailure } from '../../engine/component.ts';
import { failureOf, lastLines } from '../failures.ts';
import { removeFolder } from '../process/folders.ts';
import { findExecutable } from '../process/executable.ts';
import { childEnvironment, ProcessNotStarted, runProcess } from '../process/run-process.ts';
import { Unfit } from '../state.ts';
import { createTrials, tryProgram, type Trial, type TrialPlace } from '../try-program.ts';
import lock from './openevolve-packages.json' with { type: 'json' };

/** OpenEvolve as it lies on this machine. */
export type Packages = {
  /** To be named by PYTHONPATH. */
  readonly folder: string;
  /** Of OpenEvolve, and of Python. */
  readonly version: string;
  readonly python: string;
};

const LEAST_PYTHON = [3, 11] as const;
const ASK_MILLISECONDS = 60_000;
const FETCH_MILLISECONDS = 900_000;
const OUTPUT_BYTES = 200_000;
/** Where packages come from, as pip is told by whoever runs Workledger. */
const PIP = [
  ...['PIP_INDEX_URL', 'PIP_EXTRA_INDEX_URL', 'PIP_CONFIG_FILE', 'PIP_CERT', 'PIP_TRUSTED_HOST', 'PIP_FIND_LINKS'],
  ...['XDG_CONFIG_HOME', 'SSL_CERT_FILE', 'REQUESTS_CA_BUNDLE'],
  ...['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'],
];

/** Pins with the hashes of all their files, as pip reads them. */
export const requirements = Object.entries(lock.packages)
  .map(([pin, hashes]) => [pin, ...hashes.map((hash) => `    --hash=sha256:${hash}`)].join(' \\\n'))
  .join('\n')
  .concat('\n');
const pins = createHash('sha256').update(requirements).digest('hex').slice(0, 12);
const version = /^openevolve==([\w.]+)/m.exec(requirements)?.[1] ?? 'unknown';

/** Where the pinned packages of one version of Python lie; wheels with compiled code are of one version. */
export const placeOf = (dataFolder: string, python: string): string =>
  join(dataFolder, 'tools', 'openevolve', `${python}-${pins}`);

/** Whether the packages that a run would use are there and can be imported: nothing is fetched for that. @throws Unfit */
export function createOpenEvolveCheck(place: TrialPlace, trials = createTrials()) {
  const python = async (code: string, more: Partial<Trial>, signal: AbortSignal): Promise<string> =>
    (await tryProgram(place, { command: ['python3', '-c', code], ...more }, signal)).trim();
  return async (signal: AbortSignal): Promise<void> => {
    const needed = `it needs ${LEAST_PYTHON.join('.')} or newer`;
    const interpreter = await findExecutable('python3', '/');
    if (interpreter === null) throw new Unfit(`python3 is not on PATH: ${needed}`);
    const has = await trials([interpreter], () => python(ASK_VERSION, {}, signal));
    if (!isNewEnough(has)) throw new Unfit(`python3 is ${has}: ${needed}`);
    const folder = placeOf(place.dataFolder, has);
    if (!existsSync(folder)) throw new Unfit('its packages are not here yet: its first run fetches them', 'degraded');
    const environment = { PYTHONPATH: folder, PYTHONSAFEPATH: '1', PYTHONDONTWRITEBYTECODE: '1' };
    const asked = { environment, readable: [folder] };
    const found = await trials([interpreter, folder], () => python(ASK_PACKAGES, asked, signal));
    if (found !== version) throw new Unfit(`its packages are of version ${found || 'unknown'}: ${version} is pinned`);
  };
}

const ASK_VERSION = 'import sys; print("%d.%d" % sys.version_info[:2])';
const ASK_PACKAGES = 'import importlib.metadata, openevolve; print(importlib.metadata.version("openevolve"))';

const inTurn = createTurns();

/**
 * The pinned OpenEvolve, fetched where it is not there yet: whole or not at all. Only wheels, so nothing of them runs meanwhile.
 * @throws ComponentFailure in one line, when Python, pip or a registry cannot be had @throws the signal's reason
 */
export async function openEvolvePackages(dataFolder: string, step: string, signal: AbortSignal): Promise<Packages> {
  const python = await pythonVersion(step, signal);
  const folder = placeOf(dataFolder, python);
  const found = { folder, version, python };
  if (existsSync(folder)) return found;
  return inTurn(folder, async () => {
    signal.throwIfAborted();
    if (!existsSync(folder)) await fetchInto(folder, step, signal);
    return found;
  });
}

async function pythonVersion(step: string, signal: AbortSignal): Promise<string> {
  const found = (await run(['-c', ASK_VERSION], step, ASK_MILLISECONDS, signal)).trim();
  if (isNewEnough(found)) return found;
  return absent(step, `python3 is ${found}: it needs ${LEAST_PYTHON.join('.')} or newer`);
}

function isNewEnough(found: string): boolean {
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const [least, leastMinor] = LEAST_PYTHON;
  return major > least || (major === least && minor >= leastMinor);
}

async function fetchInto(folder: string, step: string, signal: AbortSignal): Promise<void> {
  const around = join(folder, '..');
  await mkdir(around, { recursive: true, mode: 0o700 });
  const unfinished = await mkdtemp(join(around, '.fetching-'));
  try {
    const file = join(unfinished, 'requirements.txt');
    await writeFile(file, requirements);
    const options = ['--quiet', '--disable-pip-version-check', '--no-input', '--no-deps', '--only-binary=:all:'];
    const target = ['--require-hashes', '--requirement', file, '--target', join(unfinished, 'packages')];
    await run(['-m', 'pip', 'install', ...options, ...target], step, FETCH_MILLISECONDS, signal);
    await rename(join(unfinished, 'packages'), folder).catch(async (error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await removeFolder(unfinished);
  }
}

async function run(args: readonly string[], step: string, timeoutMs: number, signal: AbortSignal): Promise<string> {
  const result = await runProcess({
    ...{ command: ['python3', ...args], cwd: '/', environment: childEnvironment(PIP) },
    ...{ timeoutMs, maxOutputBytes: OUTPUT_BYTES, signal },
  }).catch((error: unknown) => {
    if (!(error instanceof ProcessNotStarted)) throw error;
    return absent(step, 'python3 is not on PATH: install Python 3.11 or newer with pip');
  });
  signal.throwIfAborted();
  if (result.ended === 'exit' && result.exitCode === 0) return result.stdout.toString('utf8');
  const said = lastLines(result.stderr, 1)[0] ?? '';
  return absent(step, `python3 ${args.slice(0, 3).join(' ')} ended with ${result.exitCode ?? result.ended}: ${said}`);
}

/** Nobody's work is at fault, and nothing is gained by trying at once. @throws ComponentFailure always */
function absent(step: string, reason: string): never {
  throw new ComponentFailure(failureOf(step, `OpenEvolve ${version} cannot be had: ${reason}`), {
    ...{ retryable: false, fault: 'work' },
  });
}
