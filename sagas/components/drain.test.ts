import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { NotBegun } from '../engine/component.ts';
import { createDrain } from './drain.ts';
import { createSlots } from '@workledger/shared/outbound/slots.ts';
import { limited } from './limits.ts';

type Request = { readonly taskId: string };

function guarded(slots = 10) {
  const drain = createDrain();
  const begun: string[] = [];
  const endings: (() => void)[] = [];
  const component = limited<Request, string>(
    {
      name: 'x',
      perform: ({ taskId }) =>
        new Promise((resolve) => {
          begun.push(taskId);
          endings.push(() => resolve('done'));
        }),
    },
    {
      slots: createSlots(slots),
      timeoutMs: () => 10_000,
      enter: ({ taskId }, signal) => drain.enter({ component: 'x', taskId }, signal),
      target: () => 'a',
    },
  );
  const stopping = new AbortController();
  const call = (taskId: string) => component.perform({ taskId }, { key: taskId, signal: stopping.signal });
  return { drain, begun, endings, call, stop: () => stopping.abort('stopping') };
}

test('what is under way may end and has its result; what comes, or waits for its turn, does not begin', async () => {
  const { drain, begun, endings, call, stop } = guarded(1);
  const first = call('first');
  await sleep(1);
  const waiting = call('waiting');
  drain.begin();
  let isIdle = false;
  const idle = drain.idle().then(() => (isIdle = true));
  await sleep(5);
  expect([begun, drain.underWay(), isIdle]).toEqual([['first'], [{ component: 'x', taskId: 'first' }], false]);
  endings[0]?.();
  expect(await first).toBe('done');
  await idle;
  await sleep(5);
  expect([begun, drain.underWay()]).toEqual([['first'], []]);
  stop();
  await expect(waiting).rejects.toBeInstanceOf(NotBegun);
});

test('nothing under way is idle at once', async () => {
  const { drain } = guarded();
  drain.begin();
  await drain.idle();
  expect(drain.begun.aborted).toBe(true);
});
