import fc from 'fast-check';
import { expect, it } from 'vitest';
import { findUnstorableText } from './check-append.ts';

const find = (value: unknown): string | null => findUnstorableText(JSON.stringify(value));

it('finds where U+0000 or half a surrogate pair is', () => {
  expect(find('a\0')).toBe('');
  expect(find({ a: [{ b: 'x' }, { b: '\0' }] })).toBe('.a[1].b');
  expect(find({ a: '\ud83d' })).toBe('.a');
  expect(find({ '\ude00': 1 })).toBe('."\\ude00"');
});

it('takes text that only looks like an escape, and whole pairs', () => {
  expect(find({ a: '\\u0000', b: '\\\\ud800', c: '😀', d: '\u0001' })).toBeNull();
});

it('agrees with a look at every text', () => {
  const isUnstorable = (text: string): boolean => text.includes('\0') || !text.isWellFormed();
  const text = fc.string({ unit: fc.constantFrom('a', '\\', 'u0000', '\0', '\ud83d', '\ude00', 'ud800') });
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      expect(find(texts) !== null).toBe(texts.some(isUnstorable));
    }),
  );
});
