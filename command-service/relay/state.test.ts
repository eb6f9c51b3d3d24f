import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { reportState, type RelayState } from './state.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('does not ask a log that froze again before it has answered, and tells the state meanwhile', async () => {
  const stopping = new AbortController();
  const states: RelayState[] = [];
  let asked = 0;
  let answer = (_: bigint): void => undefined;
  const log = {
    head(): Promise<bigint> {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    },
    async *readAll() {},
  };
  const state = reportState(log, (told) => void states.push(told), stopping.signal);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([asked, states.length > 2, states.at(-1)?.lagPositions]).toEqual([1, true, 0]);
  answer(7n);
  await vi.advanceTimersByTimeAsync(2_000);
  expect([asked, states.at(-1)?.lagPositions]).toEqual([2, 7]);
  stopping.abort();
  answer(7n);
  await vi.advanceTimersByTimeAsync(2_000);
  await state.done;
});
