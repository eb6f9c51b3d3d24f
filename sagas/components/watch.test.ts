import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { expect, onTestFinished, test } from 'vitest';
import type { OutboundState } from '@workledger/shared/outbound/outbound.ts';
import { TargetAway } from '@workledger/shared/outbound/failures.ts';
import { Unfit, type Seen } from './state.ts';
import { createWatch, type Systems } from './watch.ts';

const state: OutboundState = {
  ...{ breaker: 'closed', underWay: 0, waiting: 0, limitedUntil: null },
  lastFailure: { at: '2026-01-01T00:00:00.000Z', reason: 'github: ECONNREFUSED 10.0.0.7:443' },
};

test('a system is looked at again and again; why it is down is logged once, and told to nobody', async () => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let works = false;
  const { logger, lines } = captureLog();
  const check = () => (works ? Promise.resolve() : Promise.reject(new Error('refused at 10.0.0.7')));
  const watch = createWatch({ github: { check, state: () => state } }, { logger, everyMilliseconds: 5 });
  const github = () => (watch.facts()['components'] as Record<string, Record<string, unknown>>)['github']!;
  expect(github()).toMatchObject({ up: null, breaker: 'closed' });
  const running = watch.run(stop.signal);
  await untilTrue(() => github()['up'] === false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(lines()).toMatchObject([{ component: 'github', reason: 'refused at 10.0.0.7', msg: 'component is down' }]);
  expect(JSON.stringify(watch.facts())).not.toContain('10.0.0.7');
  expect(github()).toMatchObject({ lastFailureAt: state.lastFailure!.at, limitedUntil: null });
  works = true;
  await untilTrue(() => github()['up'] === true);
  expect(lines()).toHaveLength(2);
  stop.abort();
  await running;
});

test('where there is nothing outside to look at, it says nothing, and tells all the same how its own are', async () => {
  const stop = new AbortController();
  const told: (readonly Seen[])[] = [];
  const own: Seen = { name: 'code.work', kind: 'component', state: 'healthy', reason: null };
  const record = async (seen: readonly Seen[]) => void told.push(seen);
  const watch = createWatch({}, { ...captureLog(), everyMilliseconds: 5, own: () => [own], record });
  const running = watch.run(stop.signal);
  expect(watch.facts()).toEqual({});
  await untilTrue(() => told.length > 1);
  expect(told[1]).toEqual([own]);
  stop.abort();
  await running;
});

test('what was seen is kept after each look, without addresses; that it cannot be kept is told once', async () => {
  const stop = new AbortController();
  const told: (readonly Seen[])[] = [];
  const { logger, lines } = captureLog();
  const away = () => Promise.reject(new TargetAway('ECONNREFUSED 10.0.0.7:443', { mayHaveHappened: false }));
  const refused = () => Promise.reject(new Error('401 at 10.0.0.7'));
  const systems = { github: { check: away, state: () => state }, 'github logs': { state: () => state } };
  const watch = createWatch(
    { ...systems, 'model local': { check: refused, state: () => state } },
    {
      ...{ logger, everyMilliseconds: 5 },
      record: (seen) => (told.push(seen) === 1 ? Promise.resolve() : Promise.reject(new Error('away'))),
    },
  );
  const running = watch.run(stop.signal);
  await untilTrue(() => told.length > 3);
  expect(told[0]).toEqual([
    { name: 'github', kind: 'system', state: 'unavailable', reason: 'it gives no answer that can be used' },
    { name: 'github logs', kind: 'system', state: 'healthy', reason: null },
    { name: 'model local', kind: 'model', state: 'unavailable', reason: 'it does not let us in' },
  ]);
  expect(watch.facts()).toMatchObject({ components: { 'github logs': { up: null, breaker: 'closed' } } });
  expect(lines().filter(({ msg }) => String(msg).includes('could not be kept'))).toHaveLength(1);
  stop.abort();
  await running;
});

test('what a check finds wrong is told in its own words; what is only less than it should be is up', async () => {
  const stop = new AbortController();
  const told: (readonly Seen[])[] = [];
  const { logger, lines } = captureLog();
  const systems: Systems = {
    'agent one': { kind: 'program', check: () => Promise.reject(new Unfit('"one" is not there')) },
    openevolve: { kind: 'program', check: () => Promise.reject(new Unfit('fetched later', 'degraded')) },
    'agent two': { kind: 'program', check: () => Promise.resolve() },
  };
  const record = async (seen: readonly Seen[]) => void told.push(seen);
  const watch = createWatch(systems, { logger, everyMilliseconds: 5, record });
  const running = watch.run(stop.signal);
  await untilTrue(() => told.length > 2);
  stop.abort();
  await running;
  expect(told[1]).toEqual([
    { name: 'agent one', kind: 'program', state: 'unavailable', reason: '"one" is not there' },
    { name: 'openevolve', kind: 'program', state: 'degraded', reason: 'fetched later' },
    { name: 'agent two', kind: 'program', state: 'healthy', reason: null },
  ]);
  const up = { checkedAt: expect.any(String) as string, up: true };
  expect(watch.facts()).toEqual({ components: { 'agent one': { ...up, up: false }, openevolve: up, 'agent two': up } });
  expect(lines()).toMatchObject([{ component: 'agent one', msg: 'component is down' }]);
});
