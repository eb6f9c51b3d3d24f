import { expect, it, vi } from 'vitest';
import { createHanding } from './handing.ts';

it('a task that one command has in hand is left alone by the others, until it is given', () => {
  const handing = createHanding();
  expect(handing.take('a task', 'one')).toBe(true);
  expect([handing.take('a task', 'one'), handing.take('a task', 'other')]).toEqual([true, false]);
  expect([handing.others('one'), handing.others('other')]).toEqual([[], ['a task']]);
  handing.give('a task', 'other', false);
  expect(handing.take('a task', 'other')).toBe(false);
  handing.give('a task', 'one', false);
  expect(handing.take('a task', 'other')).toBe(true);
});

it('what was claimed is remembered for a moment, and never more than a bounded number of it', () => {
  const handing = createHanding();
  for (let task = 0; task < 2_500; task++) handing.give(String(task), 'one', true);
  expect(handing.claimedJustNow()).toEqual(Array.from({ length: 1_000 }, (_, index) => String(1_500 + index)));
  vi.useFakeTimers();
  try {
    const later = createHanding();
    later.give('a task', 'one', true);
    expect(later.claimedJustNow()).toEqual(['a task']);
    vi.advanceTimersByTime(1_100);
    expect(later.claimedJustNow()).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
});
