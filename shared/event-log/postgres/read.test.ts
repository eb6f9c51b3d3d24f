import { expect, it } from 'vitest';
import { firstWindow, nextWindow } from './read.ts';

const settle = (charactersAnEvent: number): number => {
  let window = firstWindow;
  for (let page = 0; page < 20; page++) window = nextWindow(window, window * charactersAnEvent);
  return window;
};

it('widens over small and filtered-out events, up to a bound', () => {
  expect(settle(0)).toBe(8192);
  expect(settle(500)).toBeGreaterThanOrEqual(512);
});

it('narrows over large events until a page is a few megabytes at most', () => {
  for (const size of [500, 5_000, 50_000, 262_144]) expect(settle(size) * size).toBeLessThanOrEqual(16 * 262_144);
});
