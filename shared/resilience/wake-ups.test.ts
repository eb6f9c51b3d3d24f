import { expect, it } from 'vitest';
import { createWakeUps } from './wake-ups.ts';

it('wakes all who wait', async () => {
  const wakeUps = createWakeUps();
  const waiting = Promise.all([wakeUps.next(null), wakeUps.next(60_000)]);
  wakeUps.wake();
  await waiting;
});

it('does not let those wait who missed a wake-up since they looked', async () => {
  const wakeUps = createWakeUps();
  const seen = wakeUps.count();
  wakeUps.wake();
  await wakeUps.next(null, undefined, seen);
});

it('waits no longer than asked for, nor beyond the signal', async () => {
  const wakeUps = createWakeUps();
  await wakeUps.next(1);
  await wakeUps.next(null, AbortSignal.abort());
  const stopping = new AbortController();
  const waiting = wakeUps.next(null, stopping.signal);
  stopping.abort();
  await waiting;
});

it('forgets a wake-up for which nobody waited', async () => {
  const wakeUps = createWakeUps();
  wakeUps.wake();
  let woken = false;
  const waiting = wakeUps.next(null).then(() => (woken = true));
  await Promise.resolve();
  expect(woken).toBe(false);
  wakeUps.wake();
  await waiting;
});
