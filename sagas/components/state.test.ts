import { expect, test } from 'vitest';
import type { OutboundState } from '@workledger/shared/outbound/outbound.ts';
import { howIsComponent, howIsPlugin, howIsSystem, type How } from './state.ts';

const way: OutboundState = { breaker: 'closed', underWay: 0, waiting: 0, limitedUntil: null, lastFailure: null };

const silent: How = { state: 'unavailable', reason: 'it gives no answer that can be used' };

test.each<[string, How | null, Partial<OutboundState>, object]>([
  ['answers', null, {}, { state: 'healthy', reason: null }],
  ['does not', silent, {}, { state: 'unavailable', reason: expect.stringMatching(/no answer/) }],
  ['rests', null, { breaker: 'open' }, { state: 'unavailable', reason: expect.stringMatching(/five times in a row/) }],
  [
    'is tried again',
    null,
    { breaker: 'half-open' },
    { state: 'degraded', reason: expect.stringMatching(/tried again/) },
  ],
  [
    'has a limit, within which nothing is asked',
    silent,
    { limitedUntil: '2026-01-01T00:00:00.000Z' },
    { state: 'degraded', reason: 'it takes nothing more before 2026-01-01T00:00:00.000Z' },
  ],
])('a system that %s', (_, why, state, expected) => {
  expect(howIsSystem(why, { ...way, ...state })).toEqual(expected);
});

test.each([
  [{ closed: 0, open: 0, halfOpen: 0 }, 'healthy', null],
  [{ closed: 2, open: 0, halfOpen: 0 }, 'healthy', null],
  [{ closed: 1, open: 1, halfOpen: 0 }, 'degraded', /for some repositories$/],
  [{ closed: 0, open: 0, halfOpen: 1 }, 'degraded', /for some repositories$/],
  [{ closed: 0, open: 2, halfOpen: 0 }, 'unavailable', /for every repository/],
])('a component whose breakers are %j is %s', (counts, state, reason) => {
  expect(howIsComponent(counts)).toEqual({ state, reason: reason && expect.stringMatching(reason) });
});

test('a plugin is as its parts are', () => {
  expect(howIsPlugin({})).toEqual({ state: 'healthy', reason: null });
  expect(howIsPlugin({ 'middleware mark': 'resting', 'handler tell': 'failing' })).toEqual({
    ...{ state: 'degraded', reason: 'its handler tell fails, its middleware mark rests' },
  });
});
