import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const cache = join(import.meta.dirname, '../../../.workledger/tools');
const FETCH_MILLISECONDS = 180_000;

/**
 * The folder with the pinned packages of a requirements file, fetched into the tools' cache where it is not there yet: whole or not at
 * all, so two processes at once only do the same work twice. @throws Error: Python, pip or the packages cannot be had
 * @param tool what the folder is called @param requirements path of the file, with hashes
 */
export async function pythonPackages(tool: string, requirements: string): Promise<string> {
  const { stdout } = await python(['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
  const pins = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex');
  // Wheels with compiled code are of one version of Python.
  const whole = join(cache, tool, `python${stdout.trim()}-${pins.slice(0, 12)}`);
  // By this name libraries know what is not the program's own: hypothesis would read the source of all packages, for seconds.
  const place = join(whole, 'site-packages');
  if (await isThere(place)) return place;
  await mkdir(dirname(whole), { recursive: true });
  const unfinished = await mkdtemp(join(cache, tool, '.fetching-'));
  try {
    const target = join(unfinished, 'site-packages');
    const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await python(['-m', 'pip', 'install', ...options, '--requirement', requirements, '--target', target]);
    await rename(unfinished, whole).catch(async (error: unknown) => {
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
