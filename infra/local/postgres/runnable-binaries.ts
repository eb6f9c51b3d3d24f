import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { linkLibraries } from './library-links.ts';
import { runCommand, type CommandOutcome } from './run-command.ts';
import type { ServerUser } from './server-user.ts';

/** Programs that really run for the server's user, and PostgreSQL's major version. */
export type RunnableBinaries = Binaries & { readonly major: string };

/**
 * Answers programs that run for the server's user: where they are; else after mending the links; else from a copy in `home`
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

  const copy: Binaries = { native: join(home, 'binaries') };
  const before = await runs(copy, user);
  // A copy is as old as the package it was made of: a newer package shows in what its own `postgres` answers.
  const wanted = await runs(packaged, null);
  if (before.ok && (!wanted.ok || wanted.output === before.output)) return { ...copy, major: majorOf(before.output) };
  await copyBinaries(packaged, copy);
  const copied = await runs(copy, user);
  if (copied.ok) return { ...copy, major: majorOf(copied.output) };
  throw new Error(
    `PostgreSQL does not run from ${copy.native}: ${copied.output || 'no message'}; ` +
      'is the file system mounted noexec, or does the package fit another system? Choose another data folder',
  );
}

const runs = ({ native }: Binaries, user: ServerUser | null): Promise<CommandOutcome> =>
  runCommand(join(native, 'bin', 'postgres'), ['--version'], user);

const majorOf = (version: string): string => /(\d+)(?:\.\d+)?\s*$/.exec(version)?.[1] ?? '';

async function copyBinaries(from: Binaries, to: Binaries): Promise<void> {
  const unfinished = `${to.native}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await cp(from.native, unfinished, { recursive: true, verbatimSymlinks: true });
  await linkLibraries(unfinished);
  await makeReadable(unfinished);
  await rm(to.native, { recursive: true, force: true });
  await rename(unfinished, to.native);
}

async function makeReadable(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, folder.endsWith('/bin') ? 0o755 : 0o644);
  }
}
