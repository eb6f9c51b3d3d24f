import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { git, gitText } from '@workledger/sagas/components/git/git.ts';

const TEMPLATE = join(import.meta.dirname, 'template');
const BRANCH = 'main';

/** Makes the sample's origin, a bare repository with one commit, in this folder. One that is there already stays as it is. */
export async function createSampleRepository(folder: string): Promise<{ readonly bareUrl: string }> {
  const bareUrl = resolve(folder);
  if (!existsSync(join(bareUrl, 'HEAD'))) await create(bareUrl);
  return { bareUrl };
}

/** Makes the sample's origin, or takes the base branch of the one that is there back to the first commit's files. */
export async function renewSampleRepository(folder: string): Promise<void> {
  const { bareUrl } = await createSampleRepository(folder);
  const fresh = `${bareUrl}.fresh`;
  await rm(fresh, { recursive: true, force: true });
  await create(fresh);
  await git(['push', '--quiet', '--force', '--', bareUrl, `${BRANCH}:${BRANCH}`], { cwd: fresh });
  await rm(fresh, { recursive: true, force: true });
}

/** Made beside and moved into place: a kill in between leaves no half repository. */
async function create(bareUrl: string): Promise<void> {
  const parent = dirname(bareUrl);
  const files = `${bareUrl}.files`;
  const made = `${bareUrl}.new`;
  await mkdir(parent, { recursive: true });
  await rm(files, { recursive: true, force: true });
  await rm(made, { recursive: true, force: true });
  await cp(TEMPLATE, files, { recursive: true });

  await git(['init', '--quiet', '--bare', '--template=', '--', made], { cwd: parent });
  await git(['symbolic-ref', 'HEAD', `refs/heads/${BRANCH}`], { cwd: made });
  const at = { cwd: files, environment: { GIT_DIR: made, GIT_WORK_TREE: files, GIT_INDEX_FILE: `${made}/index` } };
  await git(['add', '--all', '--force', '--', '.'], at);
  const tree = await gitText(['write-tree'], at);
  const commit = await gitText(['commit-tree', tree, '-F', '-'], {
    ...at,
    stdin: 'Find duplicates in an address book\n',
  });
  await git(['update-ref', `refs/heads/${BRANCH}`, commit], at);

  await rm(files, { recursive: true, force: true });
  await rm(join(made, 'index'), { force: true });
  await rename(made, bareUrl);
}
