import { describe, expect, it } from 'vitest';
import type { SagaEvent } from '@workledger/shared/contexts/saga/events.ts';
import { newId, streamName } from '@workledger/shared/contexts/stream.ts';
import { sizeInMemory } from '@workledger/shared/events/event-size.ts';
import { accept, fold, newInstance, type Trigger } from './instance.ts';
import { request, type Saga } from './saga.ts';

const BIG = 'x'.repeat(1_000);

/** Counts what it was given; asks for a call at each input. Cannot fold the input `poison`, nor decide on the result `poison`. */
const saga: Saga<number> = {
  name: 'code-evolution',
  topics: [],
  correlate: () => null,
  initial: 0,
  evolve: (state, event) => {
    if (event.type === 'SagaInputReceived' && event.data.type === 'poison') throw new Error('what is this?');
    return state + 1;
  },
  react: (state, event) => {
    if (event.type === 'SagaEffectSucceeded' && event.data.result === 'poison') throw new Error('what now?');
    return event.type === 'SagaInputReceived' ? [request(call(String(state)))] : [];
  },
};
const call = (key: string) => ({ kind: 'call', key, component: 'test', request: { BIG }, timeoutSeconds: 1 }) as const;
const source = (revision: number) => ({ stream: SOURCE, revision, eventId: newId() });
const SOURCE = streamName('task', newId());
const input = (revision: number, type = 'any'): Trigger => ({
  type: 'SagaInputReceived',
  data: { source: source(revision), type, data: {} },
});
const succeeded = (key: string, result: unknown = 'done'): Trigger => ({
  type: 'SagaEffectSucceeded',
  data: { key, result },
});
const requested = (key: string): SagaEvent => ({ type: 'SagaEffectRequested', data: { effect: call(key) } });

describe('a saga instance', () => {
  it('folds 100,000 events in place, and keeps the requests of open effects only', () => {
    const instance = newInstance(saga);
    const { effects, inputs, requests } = instance;
    let most = 0;
    for (let number = 0; number < 33_334; number++) {
      for (const event of [input(number), requested(`${number}`), succeeded(`${number}`)]) fold(saga, instance, event);
      most = Math.max(most, requests.size);
    }
    fold(saga, instance, requested('open'));
    expect(instance.state).toBe(100_003);
    expect([instance.effects, instance.inputs, instance.requests]).toEqual([effects, inputs, requests]);
    expect(instance.effects).toBe(effects);
    expect(inputs.size).toBe(1);
    expect(most).toBe(0);
    expect([...requests.keys()]).toEqual(['open']);
  });

  it('keeps the request of an effect that was cancelled until it has stopped', () => {
    const instance = newInstance(saga);
    for (const event of [requested('a'), { type: 'SagaEffectCancelled', data: { key: 'a' } } as const])
      fold(saga, instance, event);
    expect(instance.requests.has('a')).toBe(true);
    fold(saga, instance, succeeded('a'));
    expect(instance.effects.get('a')).toEqual({ state: 'stopped', kind: 'call' });
    expect(instance.requests.size).toBe(0);
  });

  it('is as it was after a decision, and after what it could neither fold nor decide', () => {
    const instance = newInstance(saga);
    for (const event of [input(0), requested('a')]) fold(saga, instance, event);
    const before = structuredClone(instance);
    expect(accept(saga, instance, succeeded('a'), new Date(0))).toHaveLength(1);
    expect(accept(saga, instance, input(1), new Date(0))).toHaveLength(2);
    expect(() => accept(saga, instance, succeeded('a', 'poison'), new Date(0))).toThrow('what now?');
    expect(() => accept(saga, instance, input(1, 'poison'), new Date(0))).toThrow('what is this?');
    expect(() => fold(saga, instance, input(1, 'poison'))).toThrow('what is this?');
    expect(instance).toEqual(before);
  });

  it('shows a decision the effect with its result', () => {
    const states: unknown[] = [];
    const looking = {
      ...saga,
      react: (...[, , effects]: Parameters<typeof saga.react>) => (states.push(effects.get('a')?.state), []),
    };
    const instance = newInstance(looking);
    fold(looking, instance, requested('a'));
    accept(looking, instance, succeeded('a'), new Date(0));
    expect(states).toEqual(['succeeded']);
  });
});

it('bytes are counted through maps and objects', () => {
  expect(sizeInMemory(new Map([['key', { deep: [BIG, BIG] }]]))).toBeGreaterThan(2_000);
  expect(sizeInMemory({ a: 1n, b: null, c: undefined })).toBeLessThan(200);
});
