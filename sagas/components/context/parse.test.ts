import { expect, it } from 'vitest';
import { languages } from './languages.ts';
import { createAnalyse } from './parse.ts';
import { startParsers } from './parsers.ts';
import { wordsOf } from './words.ts';

const analyse = createAnalyse();

/** By file: its text, and what must be found in it. */
const samples: Record<string, readonly [string, Partial<Record<'definitions' | 'imports' | 'references', string[]>>]> =
  {
    'a.ts': [
      `import { other } from './other.js';\nexport const one = () => other();\ntype Two = Three;\nclass C { method() {} }\n`,
      { definitions: ['one', 'Two', 'C', 'method'], imports: ['./other.js'], references: ['other', 'Three'] },
    ],
    'a.tsx': [
      `export function View(props: Props) { return <b>{format(props)}</b>; }`,
      { definitions: ['View'], references: ['Props', 'format'] },
    ],
    'a.js': [
      `const b = require('./b');\nexports.go = function () { return b.run(); };`,
      { definitions: ['b', 'go'], imports: ['./b'], references: ['run'] },
    ],
    'a.py': [
      `from .near import thing\nimport far.away\nclass A:\n  def method(self):\n    return thing(1)\nLIMIT = 3\n`,
      { definitions: ['A', 'method', 'LIMIT'], imports: ['.near', 'far.away'], references: ['thing'] },
    ],
    'a.go': [
      `package a\nimport "example.org/x/store"\ntype T struct{}\nfunc (t *T) Read() Page { return store.Open() }\nconst Most = 1\n`,
      { definitions: ['T', 'Read', 'Most'], imports: ['example.org/x/store'], references: ['Page', 'Open'] },
    ],
    'a.rs': [
      `use crate::near::Thing;\npub struct S;\nimpl S { fn go(&self) -> Thing { make() } }\n`,
      { definitions: ['S', 'go'], imports: ['crate::near::Thing'], references: ['Thing', 'make'] },
    ],
    'A.java': [
      `import org.example.Other;\npublic class A { Other make() { return build(); } }`,
      { definitions: ['A', 'make'], imports: ['org.example.Other'], references: ['Other', 'build'] },
    ],
    'a.c': [
      `#include "near.h"\n#define MOST 3\nstruct page { int n; };\nstatic char *name_of(void) { return read_name(); }\n`,
      { definitions: ['MOST', 'page', 'name_of'], imports: ['near.h'], references: ['read_name'] },
    ],
    'a.cpp': [
      `#include "near.h"\nclass C { public: void go(); };\nvoid C::run() { other(); }\n`,
      { definitions: ['C', 'go', 'run'], imports: ['near.h'], references: ['other'] },
    ],
    'a.cs': [
      `using Shop.Near;\nclass C { public void Go() { Other(); } int Size { get; set; } }`,
      { definitions: ['C', 'Go', 'Size'], imports: ['Shop.Near'], references: ['Other'] },
    ],
    'a.rb': [
      `require_relative 'near'\nmodule M\n class C\n  def go; Other.run(1); end\n end\nend\n`,
      { definitions: ['M', 'C', 'go'], imports: ['near'], references: ['Other', 'run'] },
    ],
    'a.php': [
      `<?php\nuse Shop\\Near;\nclass C { function go() { return other(); } }\n`,
      { definitions: ['C', 'go'], imports: ['Shop\\Near'], references: ['other'] },
    ],
  };

it.each(Object.entries(samples))('reads %s', async (path, [text, wanted]) => {
  const { definitions, imports, references } = await analyse(path, text);
  const found = { definitions: definitions.map(({ name }) => name), imports, references };
  for (const [role, names] of Object.entries(wanted))
    expect(found[role as keyof typeof found], role).toEqual(expect.arrayContaining(names));
});

it('has a sample of every language', () => {
  expect(Object.keys(samples)).toHaveLength(languages.length);
});

it('tells where a definition begins and ends', async () => {
  const { definitions } = await analyse('a.ts', `\nexport async function first(\n  a: number,\n) {\n  return a;\n}\n`);
  expect(definitions).toEqual([{ name: 'first', line: 2, end: 6, signature: 'export async function first(' }]);
});

it('knows at least the words of what it cannot parse', async () => {
  const { definitions, words } = await analyse('notes.txt', 'The mergeQueue keeps turns');
  expect(definitions).toEqual([]);
  expect([...words.keys()]).toEqual(expect.arrayContaining(['queu', 'turn']));
});

it('takes names apart, and forms of a word for one', () => {
  expect(new Set(wordsOf('mergeQueue merging merge_queue HTTPServer'))).toEqual(
    new Set(['merg', 'queu', 'mergequeue', 'http', 'server', 'httpserver']),
  );
  expect(wordsOf('a'.repeat(100_000))).toEqual([]);
});

it('reads the same in threads', async () => {
  const parsers = startParsers(2);
  const sources = Object.entries(samples).map(([path, [text]], at) => ({
    blob: String(at).padStart(40, '0'),
    path,
    text,
  }));
  const lines = await parsers.parse(sources);
  await parsers.stop();
  expect(lines).toHaveLength(sources.length);
  expect(lines.join('\n')).toContain('"name_of",4,4');
});
