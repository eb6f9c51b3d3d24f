import { expect, test } from 'vitest';
import { asCommit, asRefName, asUrl, resultRef } from './names.ts';

test('branches, labels and commits of the usual form pass', () => {
  for (const name of ['main', 'workledger/0192', 'candidate-1.2', 'feature/a_b-c.d'])
    expect(asRefName(name)).toBe(name);
  expect(asCommit('0123456789'.repeat(4))).toHaveLength(40);
  expect(resultRef({ taskId: 'task', runId: 'run' }, 'generate-1')).toBe('refs/workledger/task/run/generate-1');
});

test.each([
  '',
  '-x',
  '--all',
  'a b',
  'a..b',
  'a/',
  '/a',
  'a//b',
  '.a',
  'a.',
  'a.lock',
  'a:b',
  'a*',
  'a~1',
  '@{u}',
  'é',
])('%j is no branch name', (name) => expect(() => asRefName(name)).toThrow(RangeError));

test.each(['HEAD', 'main', 'abc', '-'.repeat(40), 'A'.repeat(40)])('%j is no commit', (text) =>
  expect(() => asCommit(text)).toThrow(RangeError),
);

test('addresses that git would read as an option or as a helper to run are refused', () => {
  for (const url of ['--upload-pack=touch x', 'ext::sh -c x', 'fd::1', 'a\nb'])
    expect(() => asUrl(url)).toThrow(RangeError);
  for (const url of [
    '/a/b.git',
    '../c',
    'file:///a',
    'https://x.org/a.git',
    'git@x.org:a/b.git',
    'ssh://git@x.org:2/a',
  ])
    expect(asUrl(url)).toBe(url);
});
