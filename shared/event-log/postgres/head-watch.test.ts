import { expect, test, vi } from 'vitest';
import { createWakeUps } from '../../resilience/wake-ups.ts';
import { pause } from '../../resilience/pause.ts';
import { createHeadWatch } from './subscribe.ts';

test('one look at the head wakes all who wait, once it has moved; a look that fails is repeated; nobody waits, nobody looks', async () => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
  const answers: (bigint | Error)[] = [7n, 7n, away, away, 7n, 8n];
  let looks = 0;
  const readHead = (): Promise<bigint> => {
    const answer = answers[Math.min(looks++, answers.length - 1)]!;
    return typeof answer === 'bigint' ? Promise.resolve(answer) : Promise.reject(answer);
  };
  const watch = createHeadWatch(readHead, { wakeUps: createWakeUps(), poll: () => 1, signal });
  const wait = () => Promise.all([1, 2, 3].map(() => watch.next(signal, watch.count())));

  // What the first look finds is news.
  await wait();
  expect(looks).toBe(1);
  await wait();
  expect(looks).toBe(6);
  await pause(30);
  expect(looks).toBeLessThanOrEqual(7);

  answers.push(new Error('no such table'), 8n);
  looks = 6;
  await wait();
  expect(looks).toBe(7);

  const seen = watch.count();
  let isWoken = false;
  void watch.next(signal, seen).then(() => (isWoken = true));
  await vi.waitUntil(() => looks > 9);
  expect(isWoken).toBe(false);
  stopping.abort();
  await pause(5);
  expect(isWoken).toBe(true);
  const whenStopped = looks;
  await pause(30);
  expect(looks).toBe(whenStopped);
});
