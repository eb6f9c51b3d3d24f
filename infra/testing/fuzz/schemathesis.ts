import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fuzzConfiguration, type Described } from './configuration.ts';

const requirements = join(import.meta.dirname, 'schemathesis-requirements.txt');
const cache = join(import.meta.dirname, '../../../.workledger/tools/schemathesis');
const FETCH_MILLISECONDS = 180_000;

export const HOW_TO_GET_IT =
  'the fuzz of the API needs Python 3.11 or newer with pip (`apt-get install python3-pip`), and PyPI';

/**
 * The folder with the pinned schemathesis, fetched into the tools' cache where it is not there yet: whole or not at all, so two
 * processes at once only do the same work twice. @throws Error: Python, pip or the packages cannot be had
 */
export async function schemathesis(): Promise<string> {
  const { stdout } = await python(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const pins = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  // Wheels with compiled code are of one version of Python.
  const place = join(cache, `${stdout.trim()}-${pins.slice(0, 12)}`);
  if (await isThere(place)) return place;
  await mkdir(dirname(place), { recursive: true });
  const unfinished = await mkdtemp(join(cache, '.fetching-'));
  try {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await python(['-m', 'pip', 'install', ...options, '--requirement', requirements, '--target', unfinished]);
    await rename(unfinished, place).catch(async (error: unknown) => {
      if (!(await isThere(place))) throw error;
    });
    return place;
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const python = (args: readonly string[]): Promise<{ stdout: string }> =>
  promisify(execFile)('python3', [...args], { timeout: FETCH_MILLISECONDS });

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

export type Fuzz = {
  /** Where the API listens. */
  readonly url: string;
  /** Keys of an administrator and of a service; told to the checker by its environment. */
  readonly keys: { readonly admin: string; readonly service: string };
  /** An empty folder for what it writes. */
  readonly folder: string;
  readonly seed: number;
  /** Generated requests an operation. */
  readonly examples: number;
  /** Whether each bound of each schema is tried, too: some thousand requests. */
  readonly bounds?: boolean;
  /** Called with what it prints, as it comes. */
  readonly onOutput?: (text: string) => void;
};

/**
 * Sends the API what its own description allows, and what it does not.
 * @returns whether all answers were as described, and the report: each finding with the `curl` line that shows it
 */
export async function fuzzApi(
  program: string,
  { url, keys, folder, onOutput, ...chosen }: Fuzz,
): Promise<{ readonly holds: boolean; readonly report: string }> {
  const described = (await (await fetch(new URL('/api/v1/openapi.json', url))).json()) as Described;
  const configuration = join(folder, 'schemathesis.toml');
  await writeFile(configuration, fuzzConfiguration(described, chosen));
  const args = ['-m', 'schemathesis.cli', '--config-file', configuration, 'run', `${url}/api/v1/openapi.json`];
  const child = spawn('python3', args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: folder,
      LANG: 'C.UTF-8',
      PYTHONPATH: program,
      PYTHONDONTWRITEBYTECODE: '1',
      COLUMNS: '160',
      WORKLEDGER_ADMIN_KEY: keys.admin,
      WORKLEDGER_SERVICE_KEY: keys.service,
    },
  });
  let report = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      report += text;
      onOutput?.(text);
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { holds: code === 0, report };
}
