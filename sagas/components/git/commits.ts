import type { DiffStat } from '@workledger/shared/contexts/values.ts';
import { gitAtOrigin } from './at-origin.ts';
import { despiteLocks, git, GitFailure, inTurn } from './git.ts';
import { maintain } from './maintain.ts';
import type { Mirror } from './mirror.ts';
import { asCommit, branchRef, taskRefs } from './names.ts';

/** The commit that a task's ref names, as fetched last; null when there is none. */
export const resolveRef = ({ gitFolder }: Mirror, ref: string): Promise<string | null> => resolve(gitFolder, ref);

/** The origin's branch as fetched last; null when there is none. */
export const branchHead = ({ originFolder }: Mirror, branch: string): Promise<string | null> =>
  resolve(originFolder, branchRef(branch));

/** As `branchHead`, of several at once. */
export async function branchHeads({ originFolder }: Mirror, branches: readonly string[]): Promise<(string | null)[]> {
  const refs = branches.map(branchRef);
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', '--', ...refs];
  const { stdout } = await git(args, { cwd: originFolder });
  const lines = stdout.toString('utf8').split('\n');
  return refs.map((ref) => lines.find((line) => line.endsWith(` ${ref}`))?.split(' ', 1)[0] ?? null);
}

async function resolve(gitFolder: string, ref: string): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`];
  const { exitCode, stdout } = await git(args, { cwd: gitFolder, allow: [0, 1] });
  return exitCode === 0 ? stdout.toString('utf8').trim() : null;
}

/** Whether a branch of the origin, or a ref of this task in it, has the commit in its history, as fetched last. */
async function isInOrigin(mirror: Mirror, taskId: string, commit: string): Promise<boolean> {
  const args = ['for-each-ref', '--count=1', `--contains=${asCommit(commit)}`, '--format=%(refname)', '--'];
  const contained = async (cwd: string, pattern: string): Promise<boolean> => {
    // A store that does not have the commit at all says so by its exit code.
    const { exitCode, stdout } = await git([...args, pattern], { cwd, allow: [0, 128, 129] });
    return exitCode === 0 && stdout.length > 0;
  };
  return (
    (await contained(mirror.originFolder, 'refs/heads/')) || (await contained(mirror.gitFolder, `${taskRefs(taskId)}/`))
  );
}

/**
 * Asks the origin for a commit that somebody says to have pushed there.
 * @returns why it cannot be taken from there, with what mends it; null: it is there
 * @throws GitFailure when the origin does not answer
 */
export async function whyNotInOrigin(
  mirror: Mirror,
  taskId: string,
  commit: string,
  signal?: AbortSignal,
): Promise<string | null> {
  await fetchOrigin(mirror, taskId, signal);
  await ensureCommits(mirror, taskId, [commit], signal).catch((error: unknown) => {
    if (!(error instanceof GitFailure)) throw error;
  });
  const [kind = null] = await kindsOf(mirror, [commit]);
  if (kind === null) return `commit ${commit} is not in the origin: push it to a branch first`;
  if (kind !== 'commit') return `${commit} is a ${kind}, and no commit: name the commit by its own id`;
  if (!(await isInOrigin(mirror, taskId, commit)))
    return `commit ${commit} is on no branch of the origin, and on no ref under ${taskRefs(taskId)}/: push it there`;
  return null;
}

export const hasCommit = async (mirror: Mirror, commit: string): Promise<boolean> =>
  (await missingOf(mirror, [commit])).length === 0;

/** Makes sure that the mirror has these commits, fetching only when one is missing. @throws GitFailure */
export async function ensureCommits(
  mirror: Mirror,
  taskId: string,
  commits: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if ((await missingOf(mirror, commits)).length === 0) return;
  await fetchOrigin(mirror, taskId, signal);
  for (const commit of await missingOf(mirror, commits)) await fetchCommit(mirror, commit, signal);
}

async function missingOf(mirror: Mirror, commits: readonly string[]): Promise<string[]> {
  const kinds = await kindsOf(mirror, commits);
  return commits.filter((_, index) => kinds[index] !== 'commit');
}

/** What is under each id: `commit`, `tag` and so on; null: nothing. */
async function kindsOf({ gitFolder }: Mirror, ids: readonly string[]): Promise<(string | null)[]> {
  const stdin = ids.map((id) => `${asCommit(id)}\n`).join('');
  const { stdout } = await git(['cat-file', '--batch-check=%(objecttype)'], { cwd: gitFolder, stdin });
  const told = stdout.toString('latin1').split('\n');
  return ids.map((_, index) => (/^[a-z]+$/.test(told[index] ?? '') ? told[index]! : null));
}

/** Whether `ancestor` is `descendant` or lies in its history. */
export async function isAncestor(mirror: Mirror, ancestor: string, descendant: string): Promise<boolean> {
  const args = ['merge-base', '--is-ancestor', asCommit(ancestor), asCommit(descendant)];
  return (await git(args, { cwd: mirror.gitFolder, allow: [0, 1] })).exitCode === 0;
}

/** The newest commit that both have in their history; null when they share none. */
export async function mergeBase(mirror: Mirror, one: string, other: string): Promise<string | null> {
  const args = ['merge-base', asCommit(one), asCommit(other)];
  const { exitCode, stdout } = await git(args, { cwd: mirror.gitFolder, allow: [0, 1] });
  return exitCode === 0 ? (stdout.toString('utf8').trim().split('\n')[0] ?? null) : null;
}

/** Brings the origin's branches, tags and, of one task, its results here; what is gone there goes here. @throws GitFailure */
export async function fetchOrigin(mirror: Mirror, taskId: string | null, signal?: AbortSignal): Promise<void> {
  const refs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
  await fetchInto(mirror, mirror.originFolder, [...fetching(mirror), ...refs], signal);
  await maintain(mirror, signal);
  if (taskId !== null) await fetchResults(mirror, taskId, signal);
}

/** Brings what a task left in the origin here; what is gone there goes here. @throws GitFailure */
export async function fetchResults(mirror: Mirror, taskId: string, signal?: AbortSignal): Promise<void> {
  const refs = `+${taskRefs(taskId)}/*:${taskRefs(taskId)}/*`;
  await fetchInto(mirror, mirror.gitFolder, [...fetching(mirror), refs], signal);
}

const fetching = ({ url }: Mirror): readonly string[] => [
  'fetch',
  '--quiet',
  '--prune',
  '--no-tags',
  '--no-write-fetch-head',
  '--',
  url,
];

const fetchInto = (mirror: Mirror, into: string, args: readonly string[], signal?: AbortSignal): Promise<unknown> =>
  inTurn(into, () => despiteLocks(() => gitAtOrigin(mirror, args, { cwd: into, signal })));

/** Fetches one commit by its id, where the origin allows that. @throws GitFailure */
async function fetchCommit(mirror: Mirror, commit: string, signal?: AbortSignal): Promise<void> {
  const args = ['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--', mirror.url, commit];
  await fetchInto(mirror, mirror.gitFolder, args, signal);
}

const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'];

const PATCH = [...PLAIN, '--binary', '--src-prefix=a/', '--dst-prefix=b/'];

/** The change between two commits as a patch that `git apply` takes. @param maxBytes more is a GitFailure */
export async function diffText(mirror: Mirror, from: string, to: string, maxBytes: number): Promise<Buffer> {
  const args = ['diff', ...PATCH, asCommit(from), asCommit(to), '--'];
  return (await git(args, { cwd: mirror.gitFolder, maxOutputBytes: 2 * maxBytes })).stdout;
}

const TWO_NEWLINES = Buffer.from('\n\n');

/** As `diffText`, and how many files and lines that is; a binary file counts no lines. */
export async function diffOf(
  mirror: Mirror,
  from: string,
  to: string,
  maxBytes: number,
): Promise<{ readonly patch: Buffer; readonly stat: DiffStat }> {
  const args = ['diff', ...PATCH, '--numstat', '--patch', asCommit(from), asCommit(to), '--'];
  const { stdout } = await git(args, { cwd: mirror.gitFolder, maxOutputBytes: 2 * maxBytes });
  // A name with a newline in it is quoted, and an empty change has neither part.
  const end = stdout.indexOf(TWO_NEWLINES);
  const rows = stdout.toString('latin1', 0, Math.max(0, end)).split('\n').filter(Boolean);
  return { stat: statOf(rows), patch: end < 0 ? Buffer.alloc(0) : stdout.subarray(end + TWO_NEWLINES.length) };
}

/** Of rows of `--numstat`; a binary file counts no lines. */
function statOf(rows: readonly string[]): DiffStat {
  const counts = rows.map((row) => row.split('\t', 2).map((count) => (count === '-' ? 0 : Number(count))));
  const sum = (column: number): number => counts.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { files: rows.length, insertions: sum(0), deletions: sum(1) };
}

/** Bytes; patches that are larger count as different. */
const MAX_COMPARED = 10_000_000;

/** Whether two changes, each from one commit to another, are the same but for where in the files their lines stand. */
export async function isSamePatch(
  mirror: Mirror,
  one: readonly [from: string, to: string],
  other: readonly [from: string, to: string],
): Promise<boolean> {
  if (one[0] === other[0] && one[1] === other[1]) return true;
  try {
    const patches = [await diffText(mirror, ...one, MAX_COMPARED), await diffText(mirror, ...other, MAX_COMPARED)];
    const [first, second] = patches.map(withoutPlaces);
    return first === second;
  } catch (error) {
    if (error instanceof GitFailure) return false;
    throw error;
  }
}

/** Lines of content begin with a sign, so these are none. As latin1 every byte is a character. */
const withoutPlaces = (patch: Buffer): string =>
  patch
    .toString('latin1')
    .replaceAll(/^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@.*$/gm, '@@')
    .replaceAll(/^index [0-9a-f]+\.\.[0-9a-f]+/gm, 'index');

/** Files and lines changed between two commits, with the files' names, to be read by a person; a binary file counts no lines. */
export async function changedFiles(
  mirror: Mirror,
  from: string,
  to: string,
): Promise<DiffStat & { readonly paths: readonly string[] }> {
  const args = ['diff', ...PLAIN, '--numstat', '-z', asCommit(from), asCommit(to), '--'];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const rows = stdout.toString('utf8').split('\0').filter(Boolean);
  return { ...statOf(rows), paths: rows.map((row) => row.replace(/^[^\t]*\t[^\t]*\t/, '')) };
}

type Entry = { readonly mode: string; readonly object: string };
export type ChangedEntry = {
  /** To be read by a person: a name is bytes, and need not be UTF-8. */
  readonly path: string;
  /** The name itself. */
  readonly name: Buffer;
  readonly before: Entry | null;
  readonly after: Entry | null;
};

/** Entries that differ between two commits; limited to git pathspecs, when there are some. */
export async function changedEntries(
  mirror: Mirror,
  from: string,
  to: string,
  pathspecs: readonly string[] = [],
): Promise<ChangedEntry[]> {
  const args = ['diff', '--raw', '-z', '--no-abbrev', ...PLAIN, asCommit(from), asCommit(to), '--', ...pathspecs];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const parts = namesIn(stdout);
  const entries: ChangedEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [modeBefore, modeAfter, before, after] = (parts[at] ?? '').toString().slice(1).split(' ');
    const name = parts[at + 1] ?? Buffer.alloc(0);
    const [was, is] = [entry(modeBefore, before), entry(modeAfter, after)];
    entries.push({ path: name.toString(), name, before: was, after: is });
  }
  return entries;
}

/** The parts of an output with `-z`, as bytes. */
export function namesIn(output: Buffer): Buffer[] {
  const text = output.toString('latin1');
  return text === ''
    ? []
    : text
        .replace(/\0$/, '')
        .split('\0')
        .map((name) => Buffer.from(name, 'latin1'));
}

const entry = (mode: string | undefined, object: string | undefined): Entry | null =>
  mode === undefined || object === undefined || mode === '000000' ? null : { mode, object };
