import { expect, it } from 'vitest';
import { LogBehind } from '../event-log/errors.ts';
import { checkedHead } from './checked-head.ts';

const ends = (...offsets: bigint[]) => new Map(offsets.map((offset, partition) => [`task/${partition}`, offset]));

it('an empty log under an empty bus is believed, on every bus', () => {
  expect(checkedHead(0n, ends(0n, 0n))).toBe(0n);
  expect(checkedHead(0n, ends(1n, 1n))).toBe(0n);
});

it('an empty log under a bus with events is not, nor one behind what was reached', () => {
  expect(() => checkedHead(0n, ends(0n, 7n))).toThrow(LogBehind);
  expect(() => checkedHead(41n, ends(0n), 42n)).toThrow(LogBehind);
  expect(checkedHead(42n, ends(7n), 42n)).toBe(42n);
});
