import type { DiffStat } from '@workledger/shared/contexts/values.ts';
import { git } from './git.ts';
import type { Mirror } from './mirror.ts';
import { asCommit } from './names.ts';

const PLAIN = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-renames'];

/** The change between two commits as a patch that `git apply` takes. @param maxBytes more is a GitFailure */
export async function diffText(mirror: Mirror, from: string, to: string, maxBytes: number): Promise<Buffer> {
  const args = ['diff', ...PLAIN, '--binary', '--src-prefix=a/', '--dst-prefix=b/', asCommit(from), asCommit(to), '--'];
  return (await git(args, { cwd: mirror.gitFolder, maxOutputBytes: 2 * maxBytes })).stdout;
}

/** Files and lines changed between two commits; a binary file counts no lines. */
export async function diffStat(mirror: Mirror, from: string, to: string): Promise<DiffStat> {
  const args = ['diff', ...PLAIN, '--numstat', '-z', asCommit(from), asCommit(to), '--'];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const rows = stdout.toString('utf8').split('\0').filter(Boolean);
  const counts = rows.map((row) => row.split('\t', 2).map((count) => (count === '-' ? 0 : Number(count))));
  const sum = (column: number): number => counts.reduce((total, row) => total + (row[column] ?? 0), 0);
  return { files: rows.length, insertions: sum(0), deletions: sum(1) };
}

type Entry = { readonly mode: string; readonly object: string };
export type ChangedEntry = { readonly path: string; readonly before: Entry | null; readonly after: Entry | null };

/** Entries that differ between two commits; limited to git pathspecs, when there are some. */
export async function changedEntries(
  mirror: Mirror,
  from: string,
  to: string,
  pathspecs: readonly string[] = [],
): Promise<ChangedEntry[]> {
  const args = ['diff', '--raw', '-z', '--no-abbrev', ...PLAIN, asCommit(from), asCommit(to), '--', ...pathspecs];
  const { stdout } = await git(args, { cwd: mirror.gitFolder });
  const parts = stdout.toString('utf8').split('\0');
  const entries: ChangedEntry[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [modeBefore, modeAfter, before, after] = (parts[at] ?? '').slice(1).split(' ');
    entries.push({ path: parts[at + 1] ?? '', before: entry(modeBefore, before), after: entry(modeAfter, after) });
  }
  return entries;
}

const entry = (mode: string | undefined, object: string | undefined): Entry | null =>
  mode === undefined || object === undefined || mode === '000000' ? null : { mode, object };
