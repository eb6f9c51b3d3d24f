import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export type Caddy = {
  /** Name or path of the program. */
  readonly program: string;
  readonly version: string;
};

const cache = fileURLToPath(new URL('../../.workledger/tools/caddy/', import.meta.url));

/** Where Caddy is kept once it was fetched, by where it came from: the folder, and the program in it. */
export const kept = {
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
