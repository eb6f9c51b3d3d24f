import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { timeoutSignal } from './timeout-signal.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** In a frame of its own: nothing here refers to the signals that are combined. */
const combined = (milliseconds: number): AbortSignal =>
  AbortSignal.any([new AbortController().signal, AbortSignal.any([timeoutSignal(milliseconds)])]);

test('what has a time ends when that is over, though nobody refers to its signal and garbage is collected', async () => {
  const signal = combined(300);
  const aborted = new Promise((resolve) => signal.addEventListener('abort', () => resolve(signal.reason)));
  for (let times = 0; times < 5; times++) {
    await pause(20);
    collectGarbage();
  }
  expect(await aborted).toMatchObject({ name: 'TimeoutError' });
});
