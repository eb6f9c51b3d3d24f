import { expect, it } from 'vitest';
import { firstWindow, nextWindow, PAGE_BYTES } from './read.ts';

/** The window after twenty pages over events of one size, each page as full as the server makes it. */
const settle = (charactersAnEvent: number): number => {
  let window = firstWindow;
  for (let page = 0; page < 20; page++) {
    const fitting = Math.max(1, Math.ceil(PAGE_BYTES / Math.max(1, charactersAnEvent)));
    const given = Math.min(window, fitting);
    const isFull = given < window;
    const lines = 'x'.repeat(given * charactersAnEvent);
    window = nextWindow(window, 7n, { lines, next: 7n + BigInt(given), isFull, head: 1_000_000n });
  }
  return window;
};

it('widens over small and filtered-out events, up to a bound', () => {
  expect(settle(0)).toBe(8192);
  expect(settle(500)).toBeGreaterThanOrEqual(512);
});

it('narrows over large events to what fills a page, so that nothing is looked at in vain', () => {
  for (const size of [500, 5_000, 50_000, 262_144])
    expect(settle(size) * size).toBeLessThanOrEqual(PAGE_BYTES + 262_144);
});
