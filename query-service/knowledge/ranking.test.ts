import { expect, it } from 'vitest';
import { fused } from './ranking.ts';
import { distance } from './words.ts';

const ids = (rankings: readonly (readonly string[])[], uses: Parameters<typeof fused>[1] = new Map()) =>
  fused(rankings, uses).map(({ id }) => id);

it('puts first what both rankings put high, and keeps what one alone has', () => {
  expect(
    ids([
      ['words', 'both'],
      ['both', 'meaning'],
    ]),
  ).toEqual(['both', 'meaning', 'words'].toSorted((a, b) => order(a) - order(b)));
  expect(ids([['a', 'b'], []])).toEqual(['a', 'b']);
});
const order = (id: string): number => ['both', 'words', 'meaning'].indexOf(id);

it('adds 1 / (60 + place) of each ranking', () => {
  expect(fused([['a'], ['b', 'a']], new Map())[0]).toEqual({ id: 'a', score: 1 / 61 + 1 / 62 });
});

it('lifts what is used a little, and never over what answers twice as well', () => {
  expect(ids([['a', 'b']], new Map([['b', { opened: 10, cited: 0 }]]))).toEqual(['b', 'a']);
  const often = new Map([['b', { opened: 1e9, cited: 1e9 }]]);
  expect(ids([['a', 'b'], ['a']], often)).toEqual(['a', 'b']);
});

it('counts letters that are wrong, missing, too many, or swapped', () => {
  expect(
    ['database', 'databse', 'dtaabase', 'databaseX', 'databose'].map((word) => distance('database', word)),
  ).toEqual([0, 1, 1, 1, 1]);
  expect(distance('', 'abc')).toBe(3);
});
