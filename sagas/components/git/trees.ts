import { LRUCache } from 'lru-cache';
import { git, gitText } from './git.ts';
import { asCommit } from './names.ts';

/** A repository that has the commit. */
type Place = { readonly gitFolder: string; readonly signal?: AbortSignal | undefined };
type Facts = { readonly tree: string; readonly committedAt: string };

/** What a commit says of itself never changes, wherever it lies: by its id. */
const known = new LRUCache<string, Facts>({ max: 10_000 });

async function factsOf(commit: string, { gitFolder, signal }: Place): Promise<Facts> {
  const found = known.get(commit);
  if (found !== undefined) return found;
  const args = ['show', '--no-patch', '--no-show-signature', '--format=%T %cI', `${asCommit(commit)}^{commit}`];
  const [tree = '', committedAt = ''] = (await gitText(args, { cwd: gitFolder, signal })).split(' ');
  known.set(commit, { tree, committedAt });
  return { tree, committedAt };
}

/** The id of the tree of a commit. @throws GitFailure when it is not there */
export const treeOf = async (place: Place, commit: string): Promise<string> => (await factsOf(commit, place)).tree;

/** When a commit was made, as ISO 8601. @throws GitFailure when it is not there */
export const committedAt = async (place: Place, commit: string): Promise<string> =>
  (await factsOf(commit, place)).committedAt;

/**
 * Makes a commit. @param change.message whole, with its last newline @param change.at its time; left out: now
 * @returns its id @throws GitFailure
 */
export async function commitTree(
  { gitFolder }: Pick<Place, 'gitFolder'>,
  {
    tree,
    parent,
    message,
    at,
    signal,
  }: {
    readonly tree: string;
    readonly parent: string;
    readonly message: string;
    readonly at?: string;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<string> {
  const environment: Record<string, string> = at === undefined ? {} : { GIT_AUTHOR_DATE: at, GIT_COMMITTER_DATE: at };
  const args = ['commit-tree', tree, '-p', asCommit(parent), '-F', '-'];
  return (await git(args, { cwd: gitFolder, environment, stdin: message, signal })).stdout.toString('latin1').trim();
}
