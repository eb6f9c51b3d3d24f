import { expect, test } from 'vitest';
import { createCappedOutput } from './capped-output.ts';

const written = (limit: number, chunks: readonly string[]) => {
  const output = createCappedOutput(limit);
  for (const chunk of chunks) output.write(Buffer.from(chunk));
  return { text: output.bytes().toString(), dropped: output.dropped() };
};

test('what fits is kept as it is, however it is cut', () => {
  expect(written(10, ['abcd', 'efgh', 'ij'])).toEqual({ text: 'abcdefghij', dropped: 0 });
  expect(written(10, ['abcdefghij'])).toEqual({ text: 'abcdefghij', dropped: 0 });
});

test('of what does not fit the first and the last half are kept, and the bytes between counted', () => {
  expect(written(6, ['abcdefghij'])).toEqual({ text: 'abc\n[… 4 bytes dropped …]\nhij', dropped: 4 });
});

test('the same is kept for every way in which a text is cut into chunks', () => {
  const text = Array.from({ length: 200 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
  for (let size = 1; size <= 200; size += 7) {
    const chunks = Array.from({ length: Math.ceil(200 / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
    const { text: kept, dropped } = written(31, chunks);
    expect(dropped).toBe(169);
    expect(kept.startsWith(text.slice(0, 16))).toBe(true);
    expect(kept.endsWith(text.slice(-15))).toBe(true);
  }
});
