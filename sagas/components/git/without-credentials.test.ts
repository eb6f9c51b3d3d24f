import { expect, test } from 'vitest';
import { GitFailure } from './git.ts';
import { asUrl, withoutCredentials } from './names.ts';

test('what stands before the host of an address is hidden', () => {
  expect(withoutCredentials('fetch https://ada:t0p@secret@example.org/a.git and ssh://git@example.org/b')).toBe(
    'fetch https://***@example.org/a.git and ssh://***@example.org/b',
  );
  expect(withoutCredentials('https://example.org/a@b and git@example.org:a/b')).toBe(
    'https://example.org/a@b and git@example.org:a/b',
  );
});

test('no failure shows it, neither in its command nor in its words', () => {
  const url = 'https://ada:t0psecret@example.org/a.git';
  const { command, stderr, message } = new GitFailure(['fetch', '--', url], 128, `cannot reach ${url}`);
  expect(JSON.stringify([command, stderr, message])).not.toContain('t0psecret');
  expect(() => asUrl(`ext::${url}`)).toThrow(/\*\*\*@example\.org/);
});
