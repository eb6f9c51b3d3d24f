import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { removeFolder } from '../process/folders.ts';
import { despiteLocks, git, inTurn, rememberConfig } from './git.ts';
import { asCommit, asUrl } from './names.ts';

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

export type Worktree = {
  readonly mirror: Mirror;
  /** Where the files are. */
  readonly path: string;
  /** Git's own notes about it, inside the mirror. */
  readonly gitFolder: string;
};

/** Where a worktree of this name will lie; nothing is made yet. The name must be unique on this machine. */
export const worktreeAt = (mirror: Mirror, name: string): Worktree => ({
  mirror,
  path: join(mirror.worktrees, name),
  gitFolder: join(mirror.gitFolder, 'worktrees', name),
});

/** Checks a commit out into a folder of its own, on no branch. @throws GitFailure */
export async function addWorktree(worktree: Worktree, commit: string, signal?: AbortSignal): Promise<void> {
  const { mirror, path } = worktree;
  const args = ['worktree', 'add', '--quiet', '--force', '--detach', '--', path, asCommit(commit)];
  await inTurn(mirror.gitFolder, () => despiteLocks(() => git(args, { cwd: mirror.gitFolder, signal })));
}

/** Removes files and notes; nothing there is fine. */
export async function removeWorktree(worktree: Worktree): Promise<void> {
  await removeFolder(worktree.path);
  await removeFolder(worktree.gitFolder);
}

/** Names the worktree to git from outside: whatever a program did to the `.git` file inside does not count. */
export const inWorktree = (worktree: Worktree, index?: string): Record<string, string> => ({
  GIT_DIR: worktree.gitFolder,
  GIT_COMMON_DIR: worktree.mirror.gitFolder,
  GIT_WORK_TREE: worktree.path,
  ...(index === undefined ? {} : { GIT_INDEX_FILE: index }),
});
