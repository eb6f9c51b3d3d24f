import { randomBytes } from 'node:crypto';
import { constants, type Dirent } from 'node:fs';
import {
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { removeFolder } from '../process/folders.ts';
import { childEnvironment, runProcess } from '../process/run-process.ts';

const entrySchema = z.object({
  /** Why it cannot be used, and `setup` runs every time; null: it can. */
  problem: z.string().nullable(),
  /** Commit of the base on which `setup` ran. */
  base: z.string(),
  /** Where it ran: what was made may name that place. */
  path: z.string(),
  /** What it made, relative to that. */
  made: z.array(z.string()),
  /** Files and links that name the place. */
  naming: z.array(z.string()),
  bytes: z.number(),
});
export type Entry = z.infer<typeof entrySchema>;

/** What all prepared folders of a data folder may take; the longest unused go first. */
export type PreparedBounds = { readonly bytes: number; readonly entries: number };
const PREPARED_BOUNDS: PreparedBounds = { bytes: 20 * 1_024 ** 3, entries: 50 };

/** A larger file that names its place is not found; tools write theirs as text. */
const LARGEST_SEARCHED = 16 * 1_024 ** 2;
const STALE_MS = 6 * 3_600_000;
const COPY_MS = 900_000;

const rootOf = (dataFolder: string): string => join(dataFolder, 'prepared');
const folderOf = (dataFolder: string, key: string): string => join(rootOf(dataFolder), key);

/** What is kept under a key; what cannot be read is not there. It counts as used now. */
export async function findPrepared(dataFolder: string, key: string): Promise<Entry | null> {
  const file = join(folderOf(dataFolder, key), 'entry.json');
  const entry = await readEntry(file);
  const now = new Date();
  // Whoever sweeps at this moment may have taken it away: then the copy fails, and `setup` runs.
  if (entry !== null) await utimes(file, now, now).catch(() => undefined);
  return entry;
}

async function readEntry(file: string): Promise<Entry | null> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Keeps copies of what `setup` made at a path, as a whole or not at all, then drops what is over the bounds.
 * @param problem why it must not be used although it was made; then nothing is copied
 */
export async function keepPrepared(
  dataFolder: string,
  key: string,
  { path, base, made, problem }: Pick<Entry, 'path' | 'base' | 'made' | 'problem'>,
  bounds: PreparedBounds = PREPARED_BOUNDS,
): Promise<Entry> {
  const temporary = join(rootOf(dataFolder), `.${key}.${randomBytes(4).toString('hex')}`);
  const files = join(temporary, 'files');
  await mkdir(files, { recursive: true, mode: 0o700 });
  try {
    const seen = problem === null ? await lookThrough(path, made) : { problem, naming: [], bytes: 0 };
    const entry: Entry = { ...{ base, path, made }, ...seen };
    if (entry.problem === null && entry.bytes > bounds.bytes / 2) entry.problem = `${entry.bytes} bytes are too many`;
    if (entry.problem === null)
      for (const name of made) {
        await mkdir(dirname(join(files, name)), { recursive: true });
        await copyTree(join(path, name), dirname(join(files, name)));
      }
    await writeFile(join(temporary, 'entry.json'), JSON.stringify(entry), { mode: 0o600 });
    await removeFolder(folderOf(dataFolder, key));
    await rename(temporary, folderOf(dataFolder, key));
    await sweepPrepared(dataFolder, bounds, key);
    return entry;
  } finally {
    await removeFolder(temporary);
  }
}

/**
 * Copies a prepared folder into a checkout that has nothing in those places yet; where the copies name the place they were made at, they
 * name theirs. Never by hard links: what happens to a copy happens to nothing else. @throws Error where something is in the way
 */
export async function copyPrepared(dataFolder: string, key: string, { made, naming, path }: Entry, to: string) {
  const files = join(folderOf(dataFolder, key), 'files');
  for (const name of await readdir(files)) await copyTree(join(files, name), to);
  for (const name of made) await lstat(join(to, name));
  const [before, after] = [path, to].map((text) => Buffer.from(text).toString('latin1')) as [string, string];
  for (const name of naming) {
    const file = join(to, name);
    const about = await lstat(file);
    if (about.isSymbolicLink()) {
      const target = (await readlink(file, 'buffer')).toString('latin1').replaceAll(before, after);
      await rm(file);
      await symlink(Buffer.from(target, 'latin1'), file);
      continue;
    }
    const text = (await readFile(file)).toString('latin1').replaceAll(before, after);
    await writeFile(file, Buffer.from(text, 'latin1'));
    await utimes(file, about.atime, about.mtime);
  }
}

/** `cp` clones where the file system can and is many times faster; the other way is for systems whose `cp` is another one. */
async function copyTree(from: string, into: string): Promise<void> {
  if (process.platform !== 'linux') {
    const options = { recursive: true, verbatimSymlinks: true, preserveTimestamps: true, errorOnExist: false };
    await cp(from, join(into, from.slice(dirname(from).length + 1)), { ...options, mode: constants.COPYFILE_FICLONE });
    return;
  }
  const { exitCode, stderr } = await runProcess({
    command: ['cp', '-a', '--reflink=auto', '-t', into, '--', from],
    ...{ cwd: into, environment: { ...childEnvironment(), LC_ALL: 'C' }, timeoutMs: COPY_MS, maxOutputBytes: 10_000 },
  });
  if (exitCode !== 0) throw new Error(`cannot copy ${from}: ${stderr.toString('utf8').trim().slice(0, 500)}`);
}

/** Which of the files name the place, and how much there is. A program that names it cannot be mended: lengths would differ. */
async function lookThrough(
  path: string,
  made: readonly string[],
): Promise<Pick<Entry, 'problem' | 'naming' | 'bytes'>> {
  const place = Buffer.from(path);
  const naming: string[] = [];
  let bytes = 0;
  let problem: string | null = null;
  const look = async (
    name: string,
    entry: Pick<Dirent, 'isDirectory' | 'isSymbolicLink' | 'isFile'>,
  ): Promise<void> => {
    const at = join(path, name);
    if (entry.isDirectory()) {
      for (const inner of await readdir(at, { withFileTypes: true })) await look(join(name, inner.name), inner);
    } else if (entry.isSymbolicLink()) {
      if ((await readlink(at)).includes(path)) naming.push(name);
    } else if (!entry.isFile()) problem ??= `${name} is neither file nor folder nor link`;
    else {
      const { size } = await stat(at);
      bytes += size;
      const content = size > LARGEST_SEARCHED ? null : await readFile(at);
      if (content === null || !content.includes(place)) return;
      if (name.endsWith('/direct_url.json') && !/"editable":\s*true/.test(content.toString('latin1')))
        problem ??= 'it installs the repository itself as a copy';
      // Python corrects the names in its compiled files by itself.
      if (!content.includes(0)) naming.push(name);
      else if (!name.endsWith('.pyc')) problem ??= `${name} holds the path of its folder`;
    }
  };
  for (const name of made) await look(name, await lstat(join(path, name)));
  return { problem, naming, bytes };
}

/** Drops the longest unused over the bounds, never `kept`, and what a killed process left half made. */
export async function sweepPrepared(dataFolder: string, bounds: PreparedBounds, kept?: string): Promise<void> {
  const root = rootOf(dataFolder);
  const found: { name: string; bytes: number; usedAt: number }[] = [];
  for (const name of await readdir(root).catch(() => [])) {
    const entry = join(root, name, 'entry.json');
    const usedAt = await stat(name.startsWith('.') ? join(root, name) : entry).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    if (!name.startsWith('.')) found.push({ name, usedAt, bytes: (await readEntry(entry))?.bytes ?? 0 });
    else if (Date.now() - usedAt > STALE_MS) await removeFolder(join(root, name));
  }
  let bytes = 0;
  found.sort((one, other) => Number(other.name === kept) - Number(one.name === kept) || other.usedAt - one.usedAt);
  for (const [index, entry] of found.entries()) {
    bytes += entry.bytes;
    if (index < bounds.entries && bytes <= bounds.bytes) continue;
    // Under another name first: nobody finds half of it.
    const gone = join(root, `.gone.${randomBytes(4).toString('hex')}`);
    await rename(join(root, entry.name), gone);
    await removeFolder(gone);
  }
}
