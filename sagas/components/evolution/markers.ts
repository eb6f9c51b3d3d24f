import { extname } from 'node:path';

const MARKER = /^[ \t]*(?:#|\/\/|--|;|%)[ \t]*EVOLVE-BLOCK-(?:START|END)[ \t]*$/;

/** How a line of a file begins that is a comment, by the file's name; what is not named takes `//`. */
const COMMENTS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(['.py', '.rb', '.sh', '.jl', '.r', '.pl', '.ex', '.yaml', '.yml'].map((one) => [one, '#'])),
  ...{ '.sql': '--', '.lua': '--', '.hs': '--', '.lisp': ';', '.clj': ';', '.tex': '%', '.erl': '%' },
};
const LANGUAGES: Readonly<Record<string, string>> = {
  ...{ '.py': 'python', '.js': 'javascript', '.mjs': 'javascript', '.cjs': 'javascript', '.ts': 'typescript' },
  ...{ '.rs': 'rust', '.go': 'go', '.rb': 'ruby', '.java': 'java', '.c': 'c', '.cpp': 'cpp', '.cu': 'cuda', '.r': 'r' },
};

export const languageOf = (file: string): string => LANGUAGES[extname(file).toLowerCase()] ?? 'text';

/** A program with marks of what may evolve. */
export type Marked = {
  readonly text: string;
  /** The marks are the repository's own: they stay, and what is outside of them does not change. */
  readonly own: boolean;
};

/** Puts marks around a whole file that has none. */
export function withMarkers(text: string, file: string): Marked {
  if (text.split('\n').some((line) => MARKER.test(line))) return { text, own: true };
  const comment = COMMENTS[extname(file).toLowerCase()] ?? '//';
  // An interpreter's line and an encoding's are first in their file.
  const [head = ''] = /^(?:#!.*\n)?(?:#.*coding[:=].*\n)?/.exec(text) ?? [];
  const rest = text.slice(head.length);
  const end = rest === '' || rest.endsWith('\n') ? '' : '\n';
  const added = `${head}${comment} EVOLVE-BLOCK-START\n${rest}${end}${comment} EVOLVE-BLOCK-END\n`;
  return { text: added, own: false };
}

/** A candidate as it belongs into the repository: without the marks that were put there for it. */
export function withoutMarkers(text: string, { own }: Pick<Marked, 'own'>): string {
  if (own) return text;
  return text
    .split('\n')
    .filter((line) => !MARKER.test(line))
    .join('\n');
}
