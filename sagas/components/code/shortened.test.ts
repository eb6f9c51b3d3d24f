import { expect, test } from 'vitest';
import { failureOf } from '../failures.ts';
import { shortened } from './validate.ts';

test('a short list stays as it is', () => {
  expect(shortened(['a', 'b'])).toEqual(['a', 'b']);
});

test('a long list is cut at 16 KiB, and says how many paths are missing', () => {
  const paths = Array.from({ length: 400 }, (_, index) => `${'folder/'.repeat(300)}${index}`);
  const result = shortened(paths);
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThanOrEqual(16 * 1_024);
  expect(result[0]).toBe(paths[0]);
  expect(result.at(-1)).toBe(`… and ${paths.length - result.length + 1} more`);
});

test('the last lines of a failure are cut at 500 characters each, never within one', () => {
  const { lastLines } = failureOf('test', 'why', { output: `${'x'.repeat(499)}😀y\nshort` });
  expect(lastLines).toEqual([`${'x'.repeat(499)}\u{FFFD}`, 'short']);
});
