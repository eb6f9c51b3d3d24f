import { createHash } from 'node:crypto';
import { access, chmod, constants, lstat, mkdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder that other users may pass through, to stand in for one that they may not. What lies in the temporary folder gets its
 * stand-in there; all else in /var/lib, which nobody tidies up after a month as they do with /var/tmp.
 * @param path real path of the folder that it stands for; the same path has the same stand-in
 * @param purpose part of its name
 * @throws Error in one line when the stand-in belongs to somebody else
 */
export async function standInFor(path: string, purpose: string): Promise<string> {
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 16);
  return ownFolder(join(await baseFor(path), `workledger-${purpose}-${digest}`));
}

async function baseFor(path: string): Promise<string> {
  const temporary = await realpath(tmpdir());
  if (path.startsWith(`${temporary}/`)) return temporary;
  for (const base of ['/var/lib', '/var/tmp']) {
    const writable = await access(base, constants.W_OK | constants.X_OK).then(
      () => true,
      () => false,
    );
    if (writable) return realpath(base);
  }
  return temporary;
}

/** Everybody may create names in a temporary folder: what somebody else made there, or a link, is not ours to fill. */
async function ownFolder(folder: string): Promise<string> {
  await mkdir(folder, { mode: 0o711 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  const found = await lstat(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to somebody else: remove it, or choose another data folder`);
  }
  await chmod(folder, 0o711);
  return folder;
}
