import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { because, ComponentFailure, NotBegun, Postponed, type Component } from '../engine/component.ts';
import { createSlots } from '@workledger/shared/outbound/slots.ts';
import { componentBreaker, limited } from './limits.ts';

type Request = { readonly target: string };

const failure = (fault: 'work' | 'component'): ComponentFailure =>
  new ComponentFailure(
    { step: 'x', reason: `${fault} failed`, command: null, exitCode: null, lastLines: [], log: null },
    { retryable: true, fault },
  );

function guarded(perform: Component<Request, string>['perform'], options: { slots?: number; timeoutMs?: number } = {}) {
  const component = limited(
    { name: 'x', perform },
    {
      slots: createSlots(options.slots ?? 10),
      timeoutMs: () => options.timeoutMs ?? 10_000,
      target: ({ target }) => target,
    },
  );
  return (target = 'a', signal = new AbortController().signal) => component.perform({ target }, { key: 'k', signal });
}

describe('the circuit breaker', () => {
  test('opens after five failures of the component, for that target only', async () => {
    let calls = 0;
    const call = guarded(async ({ target }) => {
      calls++;
      if (target === 'a') throw failure('component');
      return 'fine';
    });
    for (let time = 0; time < 5; time++) await expect(call()).rejects.toThrow('component failed');
    await expect(call()).rejects.toThrow(/rests; it is tried again within 30 s/);
    await expect(call()).rejects.toBeInstanceOf(Postponed);
    expect(calls).toBe(5);
    expect(await call('b')).toBe('fine');
  });

  test('counts those in a row, whatever succeeded before', async () => {
    const breaker = componentBreaker('x');
    const fail = () => breaker.call(() => Promise.reject(failure('component'))).catch(() => undefined);
    const times = async (count: number, action: () => Promise<unknown>) => {
      for (let time = 0; time < count; time++) await action();
    };
    await times(5, () => breaker.call(async () => 'fine'));
    await times(4, fail);
    await breaker.call(async () => 'fine');
    await times(4, fail);
    expect(breaker.state()).toBe('closed');
    // Work that failed was done; who put the call off said nothing of it.
    await expect(breaker.call(() => Promise.reject(failure('work')))).rejects.toThrow('work failed');
    await times(4, fail);
    await expect(breaker.call(() => Promise.reject(new Postponed(because('x', 'later'))))).rejects.toThrow('later');
    expect(breaker.state()).toBe('closed');
    await fail();
    expect(breaker.state()).toBe('open');
  });

  test('opens again where the one call after its rest fails', async () => {
    const breaker = componentBreaker('x', 50);
    const fail = () => breaker.call(() => Promise.reject(failure('component'))).catch(() => undefined);
    for (let time = 0; time < 5; time++) await fail();
    await sleep(100);
    expect(breaker.state()).toBe('half-open');
    await fail();
    expect(breaker.state()).toBe('open');
  });

  test("does not count the work's own failures", async () => {
    const call = guarded(async () => {
      throw failure('work');
    });
    for (let time = 0; time < 8; time++) await expect(call()).rejects.toThrow('work failed');
  });

  test('lets one call through after its rest, and closes when that one succeeds', async () => {
    const breaker = componentBreaker('x', 50);
    const fail = () => breaker.call(() => Promise.reject(failure('component')));
    for (let time = 0; time < 5; time++) await expect(fail()).rejects.toThrow('component failed');
    await expect(fail()).rejects.toThrow(/rests/);
    await sleep(100);
    expect(await breaker.call(async () => 'fine')).toBe('fine');
    expect(await breaker.call(async () => 'fine')).toBe('fine');
  });
});

describe('the concurrency limit', () => {
  test('lets so many in at once, the others in the order they came', async () => {
    const running = new Set<string>();
    const started: string[] = [];
    let most = 0;
    const call = guarded(
      async ({ target }) => {
        running.add(target);
        started.push(target);
        most = Math.max(most, running.size);
        await sleep(5);
        running.delete(target);
        return target;
      },
      { slots: 2 },
    );
    const names = ['1', '2', '3', '4', '5', '6'];
    expect(await Promise.all(names.map((name) => call(name)))).toEqual(names);
    expect(most).toBe(2);
    expect(started).toEqual(names);
  });

  test('an abort ends the wait, and the slot goes to the next', async () => {
    const gate = new AbortController();
    const call = guarded(
      async ({ target }) => {
        if (target === '1') await sleep(60_000, undefined, { signal: gate.signal }).catch(() => undefined);
        return target;
      },
      { slots: 1 },
    );
    const first = call('1');
    const controller = new AbortController();
    const second = call('2', controller.signal);
    const third = call('3');
    controller.abort(new Error('cancelled'));
    await expect(second).rejects.toBeInstanceOf(NotBegun);
    gate.abort();
    expect(await Promise.all([first, third])).toEqual(['1', '3']);
  });
});

describe('the time limit', () => {
  test('aborts the call and says so', async () => {
    const call = guarded(
      async (_, { signal }) => {
        await sleep(60_000, undefined, { signal });
        return 'late';
      },
      { timeoutMs: 20 },
    );
    await expect(call()).rejects.toMatchObject({ failure: { reason: 'no end within 0 s' }, retryable: true });
  });

  test("leaves the caller's own abort as it is", async () => {
    const controller = new AbortController();
    const call = guarded(async (_, { signal }) => {
      setTimeout(() => controller.abort(), 5);
      await sleep(60_000, undefined, { signal });
      return 'late';
    });
    await expect(call('a', controller.signal)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
