import { describe, expect, it } from 'vitest';
import { createRandom } from '@workledger/infra/testing/events/random.ts';
import { comparisonOf } from './spread.ts';

const faster = { metric: 'ms', direction: 'minimize' } as const;
const series = (values: readonly number[]) => values.map((ms) => ({ ms }));
const compare = (start: readonly number[], winner: readonly number[]) =>
  comparisonOf(faster, { start: series(start), winner: series(winner) });

describe('an improvement', () => {
  it('counts when the medians differ by more than either varies by itself', () => {
    expect(compare([100, 104, 102], [97, 98, 96])).toEqual({ start: 102, winner: 97, spread: 4, improved: true });
    expect(compare([100, 104, 102], [98, 99, 97])).toEqual({ start: 102, winner: 98, spread: 4, improved: false });
    expect(compare([102, 102, 102], [90, 101, 99]).improved).toBe(false);
  });
  it('counts at once where nothing varies, and is none where nothing is gained', () => {
    expect(compare([36, 36], [35, 35]).improved).toBe(true);
    expect(compare([36, 36], [36, 36]).improved).toBe(false);
  });
  it('goes up where the plan maximizes', () => {
    const more = { metric: 'ms', direction: 'maximize' } as const;
    expect(comparisonOf(more, { start: series([10, 11]), winner: series([20, 21]) }).improved).toBe(true);
    expect(comparisonOf(more, { start: series([20, 21]), winner: series([10, 11]) }).improved).toBe(false);
  });
  it('is none where a measurement did not tell the metric', () => {
    const start = [{ ms: 9 }, { other: 1 }];
    expect(comparisonOf(faster, { start, winner: series([1, 1]) })).toMatchObject({ start: null, improved: false });
    expect(compare([], [])).toMatchObject({ winner: null, improved: false });
  });
});

/** 200 comparisons of three rounds, of 1000 against so many of a thousand, each measurement off by up to so many of a thousand. */
function wins(thousandths: number, noise: number): number {
  const random = createRandom(20261128);
  const measured = (value: number) =>
    Array.from({ length: 3 }, () => value * (1 + (noise / 1_000) * (random.next() * 2 - 1)));
  return Array.from({ length: 200 }, () => compare(measured(1_000), measured(thousandths))).filter(
    ({ improved }) => improved,
  ).length;
}

describe('in 200 trials', () => {
  it('noise of 5 % wins in fewer than one of sixteen', () => {
    expect(wins(1_000, 50)).toBeLessThanOrEqual(12);
  });
  it('a real tenth wins against noise of 1 % each time', () => {
    expect(wins(900, 10)).toBe(200);
  });
});
