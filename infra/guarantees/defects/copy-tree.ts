import { cp, mkdir, readdir, realpath, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { temporaryFolder } from '../../testing/processes/folder.ts';
import { runProgram } from '../../testing/processes/run-program.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const OURS = '@workledger';
/** What was fetched once: programs of others. */
const FETCHED = ['.workledger/kafka', '.workledger/tools'];

/** Copies what git knows or would know of the tree into a new folder, installed packages linked. @returns the folder */
export async function copyTree(): Promise<string> {
  const copy = await temporaryFolder('defects');
  const listed = await runProgram('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], ROOT);
  if (listed.exitCode !== 0) throw new Error(`cannot list the files of ${ROOT}: ${listed.output.trim()}`);
  for (const file of new Set(listed.output.split('\0').filter((name) => name !== ''))) await copyFile(file, copy);
  await linkPackages(ROOT, copy);
  for (const folder of FETCHED) await linkFetched(folder, copy);
  return copy;
}

/** What git knows may be deleted meanwhile. */
async function copyFile(file: string, copy: string): Promise<void> {
  const from = join(ROOT, file);
  const there = await stat(from).catch(() => null);
  if (there === null) return;
  await mkdir(dirname(join(copy, file)), { recursive: true });
  await cp(from, join(copy, file), { recursive: true });
}

/** Links every installed package, but our own workspaces to those of the copy: there the defect is. */
async function linkPackages(root: string, copy: string): Promise<void> {
  const from = await realpath(join(root, 'node_modules'));
  const to = join(copy, 'node_modules');
  await mkdir(join(to, OURS), { recursive: true });
  for (const name of await readdir(from))
    if (name !== OURS && (!name.startsWith('.') || name === '.bin')) await symlink(join(from, name), join(to, name));
  for (const room of await readdir(join(from, OURS))) {
    await symlink(join('..', '..', room), join(to, OURS, room));
    const own = join(root, room, 'node_modules');
    if ((await stat(own).catch(() => null)) !== null) await symlink(own, join(copy, room, 'node_modules'));
  }
}

async function linkFetched(folder: string, copy: string): Promise<void> {
  if ((await stat(join(ROOT, folder)).catch(() => null)) === null) return;
  await mkdir(dirname(join(copy, folder)), { recursive: true });
  await symlink(join(ROOT, folder), join(copy, folder));
}
