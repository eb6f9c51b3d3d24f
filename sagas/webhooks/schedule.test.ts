import { expect, test } from 'vitest';
import { nextTry, wholeTime } from './schedule.ts';

const pauses = [5, 300, 36_000];

test('pauses grow as they are configured, each up to a fifth longer, and end', () => {
  expect([1, 2, 3, 4].map((attempts) => nextTry(attempts, pauses, () => 0))).toEqual([5, 300, 36_000, null]);
  expect([1, 2, 3].map((attempts) => nextTry(attempts, pauses, () => 1))).toEqual([6, 360, 43_200]);
});

test('no try of a delivery comes after its whole time', () =>
  expect(wholeTime(pauses)).toBeGreaterThan(6 + 360 + 43_200));
