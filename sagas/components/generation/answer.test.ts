import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filesIn } from './answer.ts';

describe('the answer of a model', () => {
  it('has files with their whole text, and such as go', () => {
    const answer = [
      ...['Here you are:', '@@@ FILE src/a.ts', 'const a = 1;', '', '@@@ END'],
      ...['@@@ FILE `docs/b.md`', '```md', '# b', '```', '@@@ END', '@@@ DELETE ./old.ts', 'Done.'],
    ].join('\n');
    expect([...filesIn(answer)]).toEqual([
      ['src/a.ts', 'const a = 1;\n'],
      ['docs/b.md', '# b\n'],
      ['old.ts', null],
    ]);
  });

  it.each([
    ['I cannot do that.', 'it names no file'],
    ['@@@ FILE a.ts\nconst', 'it ends in the middle of a.ts'],
    ['@@@ FILE a.ts\nx\n@@@ FILE b.ts\ny\n@@@ END', 'a.ts has no "@@@ END"'],
    ['@@@ FILE a.ts\nx\n@@@ END\n@@@ DELETE a.ts', 'it has a.ts twice'],
    ['@@@ FILE ../a.ts\nx\n@@@ END', 'no plain path'],
    ['@@@ FILE /etc/passwd\nx\n@@@ END', 'no path inside the repository'],
    ['@@@ FILE .git/hooks/pre-commit\nx\n@@@ END', "git's own"],
    ['@@@ FILE sub/.GIT/config\nx\n@@@ END', "git's own"],
    ['@@@ DELETE C:\\a', 'characters'],
    ['@@@ FILE \nx\n@@@ END', 'is no path'],
  ])('%j is refused: %s', (answer, why) => {
    expect(() => filesIn(answer)).toThrow(why);
  });

  it('is read as it was meant, whatever stands in the files', () => {
    const text = fc.array(fc.string({ maxLength: 30 }).map((line) => line.replaceAll(/[\r\n]|^@@@|^```/g, '')));
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: 40 }), { minLength: 1, maxLength: 10 }), text, (names, lines) => {
        const said = lines.join('\n').replace(/\n+$/, '');
        const answer = names.map((name) => `@@@ FILE f/${name}.txt\n${said}\n@@@ END`).join('\n');
        const wanted = said === '' ? '' : `${said}\n`;
        expect([...filesIn(answer)]).toEqual(names.map((name) => [`f/${name}.txt`, wanted]));
      }),
    );
  });
});
