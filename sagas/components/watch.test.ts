import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { untilTrue } from '@workledger/infra/testing/processes/until.ts';
import { expect, onTestFinished, test } from 'vitest';
import type { OutboundState } from './outbound/outbound.ts';
import { createWatch } from './watch.ts';

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

test('where there is nothing to look at, it says nothing and waits for the end', async () => {
  const stop = new AbortController();
  const watch = createWatch({}, captureLog());
  const running = watch.run(stop.signal);
  expect(watch.facts()).toEqual({});
  stop.abort();
  await running;
});
