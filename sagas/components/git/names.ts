/** Checks of what becomes an argument of git: nothing may be read as an option or as a pattern. */

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;
const REF_PART = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** @throws RangeError when it is no full commit id */
export function asCommit(text: string): string {
  if (!COMMIT.test(text)) throw new RangeError(`"${text}" is no commit id: use 40 or 64 hexadecimal digits`);
  return text;
}

/** @throws RangeError when it is no name for a branch or a label */
export function asRefName(text: string): string {
  const parts = text.split('/');
  const bad = parts.some((part) => !REF_PART.test(part) || part.includes('..') || /\.(lock)?$/.test(part));
  if (bad || text.length > 200) throw new RangeError(`"${text}" is no branch name: use letters, digits and . _ / -`);
  return text;
}

/** @throws RangeError when git would read it as an option or run a helper named in it */
export function asUrl(text: string): string {
  if (text.startsWith('-') || /^[A-Za-z0-9+.-]+::/.test(text) || text.includes('\0') || text.includes('\n'))
    throw new RangeError(
      `"${withoutCredentials(text)}" is no repository address: use a path, file://, https:// or ssh`,
    );
  return text;
}

export const branchRef = (branch: string): string => `refs/heads/${asRefName(branch)}`;
/** Where Workledger keeps results in the origin, a folder a task. */
export const RESULTS = 'refs/workledger/';
/** Where all runs of a task keep their results in the origin; remote agents may leave theirs in here, too. */
export const taskRefs = (taskId: string): string => `${RESULTS}${asRefName(taskId)}`;
/** One run of a task: what it undoes must not be what another run made. */
export type Run = { readonly taskId: string; readonly runId: string };
export const runRefs = ({ taskId, runId }: Run): string => `${taskRefs(taskId)}/${asRefName(runId)}`;
export const resultRef = (run: Run, label: string): string => `${runRefs(run)}/${asRefName(label)}`;
/** A result's ref holds one commit for ever: a worker that was taken for dead cannot move what its successor left. */
export const resultOf = (run: Run, label: string, commit: string): string =>
  resultRef(run, `${label}-${asCommit(commit).slice(0, 12)}`);
/** Where a result is kept on this machine that the origin did not take. */
export const keptRef = (run: Run, label: string, commit: string): string =>
  resultOf(run, label, commit).replace(/^refs\/workledger\//, 'refs/workledger-kept/');
/** `https://user:token@host` → `https://***@host`. */
export const withoutCredentials = (text: string): string => text.replaceAll(/(?<=\w:\/\/)[^\s/]+@/g, '***@');
