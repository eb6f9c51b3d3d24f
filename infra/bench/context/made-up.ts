import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { git } from '../../testing/repository/git.ts';
import { randomBy } from './questions.ts';

const SMALLEST = 1_500;
const LARGEST = 4_000;
const NAME = /\b[a-z]+[A-Z]\w*\b/g;

/**
 * A bare repository of so many files of code, a thousand of them in a commit: TypeScript of this repository, 1.5 to 4 kB each, copied under
 * names of its own until there are enough.
 */
export function makeUp(
  here: string,
  folder: string,
  files: number,
): { commit: string; bytes: number; word: () => string } {
  const random = randomBy(7);
  const originals = git(here, 'ls-files', '*.ts')
    .split('\n')
    .map((path) => ({ path, text: readFileSync(join(here, path), 'utf8') }))
    .filter(({ text }) => text.length >= SMALLEST && text.length <= LARGEST);
  const vocabulary = [...new Set(originals.flatMap(({ text }) => text.match(/\b[a-z]{5,}\b/g) ?? []))];
  const word = (): string => vocabulary[Math.floor(random() * vocabulary.length)] ?? '';
  execFileSync('git', ['init', '--quiet', '--bare', folder]);
  const parts: string[] = [];
  let bytes = 0;
  for (let at = 0; at < files; at++) {
    if (at % 1_000 === 0) parts.push(...commitParts(1_700_000_000 + at, `${word()} ${word()} of ${word()}`));
    const { path, text } = originals[at % originals.length] ?? { path: '', text: '' };
    const copy = Math.floor(at / originals.length);
    const content = Buffer.from(text.replaceAll(NAME, (name) => `${name}${copy}`));
    bytes += content.length;
    parts.push(`M 100644 inline ${word()}${copy}/${path}`, `data ${content.length}`, content.toString('utf8'));
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${parts.join('\n')}\n` });
  return { commit: git(folder, 'rev-parse', 'main'), bytes, word };
}

/** A commit on top that changes three files. */
export function someCommit(folder: string, parent: string): string {
  const paths = git(folder, 'ls-tree', '-r', '--name-only', parent).split('\n').slice(0, 3);
  const changes = paths.flatMap((path, at) => {
    const text = `export const changed${at} = ${at};\n`;
    return [`M 100644 inline ${path}`, `data ${text.length}`, text];
  });
  const input = [...commitParts(1_800_000_000, 'few'), `from ${parent}`, ...changes, ''].join('\n');
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input });
  return git(folder, 'rev-parse', 'main');
}

const commitParts = (seconds: number, subject: string): string[] => [
  'commit refs/heads/main',
  `committer P <p@example.org> ${seconds} +0000`,
  `data ${subject.length}`,
  subject,
];
