import { onFiles, type Checkout } from './checkout.ts';
import { namesIn } from './commits.ts';
import { git } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

/**
 * What lies in a checkout and is not of its commit, ignored or not: whole folders where nothing in them is.
 * @returns paths relative to the checkout, without a slash at the end
 */
export async function madeBesides(checkout: Checkout, commit: string, signal?: AbortSignal): Promise<string[]> {
  const at = onFiles(checkout, signal);
  await git(['read-tree', asCommit(commit)], at);
  const { stdout } = await git(['ls-files', '-z', '--others', '--directory', '--no-empty-directory'], at);
  return namesIn(stdout).map((name) => name.toString('utf8').replace(/\/$/, ''));
}

/** Brings files back that are of the commit and were changed or deleted. @returns how many there were */
export async function restoreTracked(checkout: Checkout, commit: string, signal?: AbortSignal): Promise<number> {
  const at = onFiles(checkout, signal);
  await git(['read-tree', asCommit(commit)], at);
  await git(['update-index', '-q', '--refresh'], { ...at, allow: [0, 1] });
  const { stdout } = await git(['ls-files', '-z', '--modified', '--deduplicate'], at);
  if (stdout.length === 0) return 0;
  await git(['checkout-index', '--force', '-z', '--stdin'], { ...at, stdin: stdout, usualUmask: true });
  return namesIn(stdout).length;
}

/** Whether a commit has something at or below one of these paths. */
export async function tracksAny({ gitFolder }: Mirror, commit: string, paths: readonly string[]): Promise<boolean> {
  if (paths.length === 0) return false;
  const args = ['ls-tree', '-r', '-z', '--name-only', asCommit(commit), '--', ...paths];
  return (await git(args, { cwd: gitFolder })).stdout.length > 0;
}
