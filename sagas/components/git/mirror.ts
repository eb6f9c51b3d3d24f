import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { removeFolder } from '../process/remove-folder.ts';
import { git } from './git.ts';
import { inTurn } from './in-turn.ts';
import { asUrl } from './names.ts';
import { rememberConfig } from './own-settings.ts';

/** A bare copy of one repository on this machine, from which worktrees are made. */
export type Mirror = {
  readonly url: string;
  /** Absolute path of the bare repository. */
  readonly gitFolder: string;
  /** Absolute; worktrees lie in here. */
  readonly worktrees: string;
};

/** The mirror of this address, made (empty) where there is none yet. Safe when two processes do it at once. */
export async function openMirror(dataFolder: string, url: string): Promise<Mirror> {
  const folder = join(resolve(dataFolder), 'repositories');
  const gitFolder = join(folder, `${createHash('sha256').update(asUrl(url)).digest('hex').slice(0, 24)}.git`);
  const worktrees = join(resolve(dataFolder), 'worktrees');
  await inTurn(gitFolder, async () => {
    await mkdir(worktrees, { recursive: true });
    if (!existsSync(join(gitFolder, 'HEAD'))) await create(folder, gitFolder);
    rememberConfig(gitFolder, await newConfig(folder));
  });
  return { url, gitFolder, worktrees };
}

const configs = new Map<string, Promise<Buffer>>();

/** What git writes into a new mirror's `config` in this folder: asked once, never read from a mirror that was used. */
function newConfig(folder: string): Promise<Buffer> {
  const asked = configs.get(folder) ?? readNewConfig(folder);
  configs.set(folder, asked);
  asked.catch(() => configs.delete(folder));
  return asked;
}

async function readNewConfig(folder: string): Promise<Buffer> {
  const made = await initialise(join(folder, 'new'));
  try {
    return await readFile(join(made, 'config'));
  } finally {
    await removeFolder(made);
  }
}

async function create(folder: string, gitFolder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const made = await initialise(gitFolder);
  try {
    await rename(made, gitFolder);
  } catch (error) {
    await removeFolder(made);
    if (!existsSync(join(gitFolder, 'HEAD'))) throw error;
  }
}

/** An empty bare repository of our settings beside `gitFolder`. @returns its path */
async function initialise(gitFolder: string): Promise<string> {
  const folder = dirname(gitFolder);
  const made = `${gitFolder}.${randomBytes(4).toString('hex')}`;
  await git(['init', '--quiet', '--bare', '--template=', '--', made], { cwd: folder });
  // For agents that commit by themselves on a machine where nobody told git who they are.
  for (const [name, value] of [
    ['user.name', 'Workledger'],
    ['user.email', 'workledger@localhost'],
    ['gc.auto', '0'],
  ] as const)
    await git(['config', name, value], { cwd: made });
  return made;
}
