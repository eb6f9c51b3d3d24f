/** What a model wants files to be: a path, and its whole text; null: it goes. */
export type WantedFiles = ReadonlyMap<string, string | null>;

/** An answer that is none of the form that was asked for. `message` says what is wrong with it. */
export class UnusableAnswer extends Error {
  override name = 'UnusableAnswer';
}

/** How a model is told to answer, and what `filesIn` reads. */
export const ANSWER_FORM = `Answer with every file that changes, whole, in this form and with nothing else in between:

@@@ FILE path/of/the/file.ext
the whole new text of the file
@@@ END

A file that goes away is one line: @@@ DELETE path/of/the/file.ext`;

const MOST_FILES = 50;
const MOST_CHARACTERS = 1_000_000;
const LONGEST_PATH = 400;

/** Reads the files of an answer. Words before and after them are let go. @throws UnusableAnswer */
export function filesIn(answer: string): WantedFiles {
  if (answer.length > MOST_CHARACTERS)
    throw new UnusableAnswer(`it has ${answer.length} characters: at most ${MOST_CHARACTERS} are read`);
  const files = new Map<string, string | null>();
  const keep = (path: string, text: string | null): void => {
    const problem = problemOfPath(path);
    if (problem !== null) throw new UnusableAnswer(`"${path.slice(0, LONGEST_PATH)}" ${problem}`);
    if (files.has(path)) throw new UnusableAnswer(`it has ${path} twice`);
    files.set(path, text);
  };
  let open: { readonly path: string; readonly lines: string[] } | null = null;
  for (const line of answer.split(/\r?\n/)) {
    const [, what, path = ''] = /^@@@ (FILE|END|DELETE)\b(.*)$/.exec(line) ?? [];
    if (what === undefined) open?.lines.push(line);
    else if (what === 'END') {
      if (open === null) continue;
      keep(open.path, textOf(open.lines));
      open = null;
    } else {
      if (open !== null) throw new UnusableAnswer(`${open.path} has no "@@@ END"`);
      if (what === 'FILE') open = { path: plain(path), lines: [] };
      else keep(plain(path), null);
    }
  }
  if (open !== null) throw new UnusableAnswer(`it ends in the middle of ${open.path}`);
  if (files.size === 0) throw new UnusableAnswer('it names no file');
  if (files.size > MOST_FILES) throw new UnusableAnswer(`it has ${files.size} files: at most ${MOST_FILES} are taken`);
  return files;
}

/** Models like to mark paths up. */
const plain = (path: string): string =>
  path
    .trim()
    .replaceAll(/^[`"']|[`"']$/g, '')
    .replace(/^\.\//, '');

/** Without the fence that models like to put around code; with one closing line break. */
function textOf(lines: readonly string[]): string {
  const isFenced = lines.length >= 2 && /^```[\w+-]*$/.test(lines[0] ?? '') && lines.at(-1) === '```';
  const said = isFenced ? lines.slice(1, -1) : lines;
  const last = said.findLastIndex((line) => line !== '');
  return last < 0 ? '' : `${said.slice(0, last + 1).join('\n')}\n`;
}

/** Why a path is none of a file in a repository; null: it is one. */
function problemOfPath(path: string): string | null {
  if (path === '' || path.length > LONGEST_PATH) return 'is no path';
  if (/[\u0000-\u001f\u007f\\]/.test(path) || !path.isWellFormed()) return 'has characters that no path of ours has';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is no path inside the repository';
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) return 'is no plain path';
  return parts.some((part) => /^\.git(?:modules)?$/i.test(part) || /^git~\d$/i.test(part)) ? "is git's own" : null;
}
