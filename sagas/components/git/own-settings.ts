import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What each mirror's `config` holds, by its folder: in memory, where no program that works in a worktree reaches it. */
const known = new Map<string, Buffer>();

export const rememberConfig = (gitFolder: string, config: Buffer): void => void known.set(gitFolder, config);

/**
 * Before our own call of git: puts the mirror's settings back. A program in a worktree shares them; a filter that it
 * names there would be run by our `git add`, and by the next task's checkout.
 * @param gitFolder a mirror's, or a worktree's notes inside of one; others are left as they are
 */
export async function restoreSettings(gitFolder: string): Promise<void> {
  const mirror = known.has(gitFolder) ? gitFolder : dirname(dirname(gitFolder));
  const config = known.get(mirror);
  if (config === undefined || !existsSync(mirror)) return;
  await restore(join(mirror, 'config'), config);
  const foreign = [
    ...[mirror, gitFolder].map((folder) => join(folder, 'config.worktree')),
    ...['attributes', 'exclude'].map((name) => join(mirror, 'info', name)),
  ];
  for (const path of foreign) await rm(path, { recursive: true, force: true });
}

async function restore(file: string, bytes: Buffer): Promise<void> {
  const now = await readFile(file).catch(() => null);
  if (now?.equals(bytes) === true) return;
  if (now === null) await rm(file, { recursive: true, force: true });
  const written = `${file}.${randomBytes(4).toString('hex')}`;
  await writeFile(written, bytes);
  await rename(written, file);
}
