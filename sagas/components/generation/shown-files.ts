import { git } from '../git/git.ts';
import type { Mirror } from '../git/mirror.ts';
import { asCommit } from '../git/names.ts';
import { readFileAt } from '../git/files.ts';
import { isSecretFile, withoutSecrets } from '../context/redact.ts';
import type { Secrets } from '../secrets.ts';

/** Files that a model is shown whole, and may change. */
export type Shown = {
  readonly files: ReadonlyMap<string, string>;
  /** Of the whole commit, up to a number. */
  readonly paths: readonly string[];
};

const MOST_FILES = 10;
const MOST_BYTES = 80_000;
const MOST_OF_ONE = 40_000;
const MOST_PATHS = 400;

/**
 * The files that matter, whole: those that the words name, then those that were found for them. None of which a secret would be told, and
 * none that is no text: what a model did not see whole it cannot write whole.
 */
export async function shownFiles(
  mirror: Mirror,
  {
    commit,
    words,
    found,
    secrets,
    signal,
  }: {
    readonly commit: string;
    readonly words: string;
    /** The most telling first. */
    readonly found: readonly string[];
    readonly secrets: Secrets;
    readonly signal: AbortSignal;
  },
): Promise<Shown> {
  const all = await pathsOf(mirror, commit, signal);
  const named = all.filter((path) => path.length > 3 && words.includes(path));
  const wanted = [...new Set([...named, ...found.filter((path) => all.includes(path))])];
  const files = new Map<string, string>();
  let size = 0;
  for (const path of wanted) {
    if (files.size >= MOST_FILES) break;
    if (isSecretFile(path)) continue;
    const bytes = await readFileAt(mirror, { commit, path, signal });
    if (bytes === null || bytes.length > MOST_OF_ONE || size + bytes.length > MOST_BYTES || bytes.includes(0)) continue;
    const text = bytes.toString('utf8');
    if (!Buffer.from(text).equals(bytes) || secrets.text(withoutSecrets(text)) !== text) continue;
    files.set(path, text);
    size += bytes.length;
  }
  return { files, paths: all.filter((path) => !isSecretFile(path)).slice(0, MOST_PATHS) };
}

async function pathsOf({ gitFolder }: Mirror, commit: string, signal: AbortSignal): Promise<string[]> {
  const args = ['ls-tree', '-r', '-z', '--full-tree', '--name-only', asCommit(commit)];
  const { stdout } = await git(args, { cwd: gitFolder, signal });
  return stdout.toString('utf8').split('\0').filter(Boolean);
}
