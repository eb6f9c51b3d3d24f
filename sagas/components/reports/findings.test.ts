import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findingsOf, lineOfFinding, markNew, pathWithin } from './findings.ts';
import type { Reported } from './report.ts';

const ROOT = '/data/worktrees/a/repository';
const complaint = (more: Partial<Reported> = {}): Reported => ({
  ...{ severity: 'high', rule: 'no-var', message: 'Unexpected var.', path: 'src/a.js', line: 2 },
  ...more,
});
const linesOf = (text: string) => (_: string, line: number) => text.split('\n')[line - 1] ?? null;
const print = (reported: readonly Reported[], text = ''): string[] =>
  findingsOf(reported, ROOT, linesOf(text)).map(({ fingerprint }) => fingerprint);

describe('a path', () => {
  test.each([
    ['src/a.js', 'src/a.js'],
    ['./src//a.js', 'src/a.js'],
    [`${ROOT}/src/a.js`, 'src/a.js'],
    [`file://${ROOT}/src/a%20b.js`, 'src/a b.js'],
    ['src/%C3%A4.js', 'src/ä.js'],
    ['100%.js', '100%.js'],
    ['/etc/passwd', null],
    ['../other/a.js', null],
    ['src/../../a.js', null],
    ['src/%2e%2e/%2e%2e/a.js', null],
    ['.git/config', null],
    ['a/.git/hooks/x', null],
    ['https://example.org/a.js', null],
    ['src/\u001b[2Ja.js', null],
    ['', null],
    [ROOT, null],
  ])('%j is %j', (written, path) => expect(pathWithin(written, ROOT)).toBe(path));

  test('never leads out of the repository', () => {
    const part = fc.constantFrom('..', '.', 'a', '%2e%2e', '/', 'file://', '', '\0', '%2F');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const path = pathWithin(parts.join('/'), ROOT) ?? 'a';
        expect(path.startsWith('/') || path.split('/').includes('..')).toBe(false);
      }),
    );
  });
});

describe('a fingerprint', () => {
  test('stays where lines move and are indented otherwise, and changes with the line itself', () => {
    const [before] = print([complaint()], 'x\nvar a = 1;');
    expect(print([complaint({ line: 4 })], '\n\n\n   var  a = 1;\t')).toEqual([before]);
    expect(print([complaint()], 'x\nvar b = 1;')).not.toEqual([before]);
    expect(print([complaint({ path: 'src/b.js' })], 'x\nvar a = 1;')).not.toEqual([before]);
    expect(print([complaint({ rule: 'other' })], 'x\nvar a = 1;')).not.toEqual([before]);
  });

  test("is the tool's own where it has one", () => {
    const known = complaint({ identity: 'abc' });
    expect(print([known], 'x\ny')).toEqual(print([{ ...known, line: 9 }], 'z'));
  });
});

test('words are kept without secrets and steering characters, and short', () => {
  const token = `ghp_${'a'.repeat(36)}`;
  const [found] = findingsOf(
    [complaint({ message: `${token} \u001b[31m\u202e${'x'.repeat(3_000)}` })],
    ROOT,
    () => null,
  );
  expect(found?.message).toMatch(/^\[hidden\] \\u001b\[31m\\u202ex+$/);
  expect(found?.message.length).toBeLessThanOrEqual(1_000);
});

test('a line as compilers write it', () => {
  const [found] = findingsOf([complaint()], ROOT, () => null);
  expect(lineOfFinding(found!)).toBe('src/a.js:2: high: Unexpected var. [no-var]');
});

test('new is what the base has not, and one more of the same', () => {
  const same = findingsOf([complaint(), complaint({ line: 3 }), complaint({ rule: 'x' })], ROOT, () => 'var a');
  const [print = ''] = same.filter(({ rule }) => rule === 'no-var').map(({ fingerprint }) => fingerprint);
  expect(
    markNew(same, [print])
      .filter(({ isNew }) => isNew)
      .map(({ rule }) => rule),
  ).toEqual(expect.arrayContaining(['no-var', 'x']));
});

test('as many are new of each as there are more than on the base', () => {
  const prints = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 20 });
  fc.assert(
    fc.property(prints, prints, (now, base) => {
      const findings = now.map((identity) => ({ ...complaint({ identity }) }));
      const found = findingsOf(findings, ROOT, () => null);
      const names = (list: readonly string[], name: string): number => list.filter((one) => one === name).length;
      const basePrints = findingsOf(
        base.map((identity) => complaint({ identity })),
        ROOT,
        () => null,
      );
      const marked = markNew(
        found,
        basePrints.map(({ fingerprint }) => fingerprint),
      );
      const fresh = marked.filter(({ isNew }) => isNew).length;
      const expected = ['a', 'b', 'c'].reduce(
        (sum, name) => sum + Math.max(0, names(now, name) - names(base, name)),
        0,
      );
      expect(fresh).toBe(expected);
    }),
  );
});
