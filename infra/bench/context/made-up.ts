import { execFileSync } from 'node:child_process';
import { git } from '../../testing/repository/git.ts';
import { randomBy } from './questions.ts';

const random = randomBy(7);
const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(items.length * random() ** 2)] as Item;
const WORDS = Array.from(
  { length: 4_000 },
  (_, at) => `${'bcdfglmnprst'[at % 12]}${(at * 7_919 + 13).toString(26).replaceAll(/\d/g, 'o')}`,
);
const word = (): string => pick(WORDS);
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const BYTES = 2_500;

/** A file of code as it might be, of so many bytes. */
function fileText(names: readonly string[]): string {
  const lines = Array.from({ length: 6 }, () => `import { ${pick(names)} } from '../${word()}/${word()}.ts';`);
  let size = lines.join('\n').length;
  while (size < BYTES) {
    const name = `${word()}${capital(word())}`;
    const part = [
      `/** Says how ${word()} and ${word()} come to ${word()}. */`,
      `export function ${name}(${word()}: ${capital(word())}, other: number): string {`,
      `  const ${word()} = ${pick(names)}(other, '${word()}');`,
      `  if (other > ${Math.floor(random() * 100)}) return ${pick(names)}({ ${word()}: other, ${word()}: [1, 2] });`,
      '  return `${other} ' + word() + '`;',
      '}',
      '',
    ];
    lines.push(...part);
    size += part.join('\n').length;
  }
  return lines.join('\n');
}

/** A bare repository of so many files, a thousand of them in a commit. */
export function makeUp(folder: string, files: number): { commit: string; bytes: number; word: () => string } {
  execFileSync('git', ['init', '--quiet', '--bare', folder]);
  const names = Array.from({ length: files }, () => `${word()}${capital(word())}`);
  const parts: string[] = [];
  let bytes = 0;
  for (let at = 0; at < files; at += 1_000) {
    parts.push('commit refs/heads/main', `committer P <p@example.org> ${1_700_000_000 + at} +0000`);
    const subject = `${word()} ${word()} of ${word()}`;
    parts.push(`data ${subject.length}`, subject);
    for (let one = at; one < Math.min(files, at + 1_000); one++) {
      const text = fileText(names);
      bytes += text.length;
      parts.push(`M 100644 inline src/${word()}/${word()}/${word()}-${one}.ts`, `data ${text.length}`, text);
    }
  }
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${parts.join('\n')}\n` });
  return { commit: git(folder, 'rev-parse', 'main'), bytes, word };
}

/** A commit on top that changes three files. */
export function someCommit(folder: string, parent: string): string {
  const paths = git(folder, 'ls-tree', '-r', '--name-only', parent).split('\n').slice(0, 3);
  const head = [
    'commit refs/heads/main',
    'committer P <p@example.org> 1800000000 +0000',
    'data 3',
    'few',
    `from ${parent}`,
  ];
  const changes = paths.flatMap((path) => {
    const text = fileText([word(), word()]);
    return [`M 100644 inline ${path}`, `data ${text.length}`, text];
  });
  execFileSync('git', ['fast-import', '--quiet'], { cwd: folder, input: `${[...head, ...changes].join('\n')}\n` });
  return git(folder, 'rev-parse', 'main');
}
