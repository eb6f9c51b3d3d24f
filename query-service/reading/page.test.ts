import { expect, it } from 'vitest';
import { readCursor, writeCursor } from './page.ts';

const cursor = { order: '-created', value: '2026-01-01T00:00:00.000Z', id: 'ä/1' };

it('reads what it wrote', () => {
  expect(readCursor(writeCursor(cursor), '-created')).toEqual(cursor);
});

it('refuses a cursor of another order', () => {
  expect(() => readCursor(writeCursor(cursor), 'created')).toThrow('the cursor cannot be used');
});

it.each(['', 'abc', '%%%', Buffer.from('[]').toString('base64url'), Buffer.from('{"order":1}').toString('base64url')])(
  'refuses "%s"',
  (text) => {
    expect(() => readCursor(text, '-created')).toThrow('the cursor cannot be used');
  },
);
