import { createOutages } from '../resilience/outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { expect, test } from 'vitest';
import { createClosers } from './closers.ts';
import { tellConsumeError, tellLost } from './open.ts';

test('what the bus could not deliver is logged, with the group and the reason', () => {
  const { logger, text } = captureLog();
  tellConsumeError(
    logger,
    createOutages(logger),
  )({ group: 'projections', partition: null, attempt: 2, error: new Error('no such table') });
  expect(text()).toContain('no such table');
  expect(text()).toMatch(/"group":"projections".*"attempt":2/);
});

test('what failed because a server is away was told already', () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const error = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
  outages.notice('postgresql', error);
  tellConsumeError(logger, outages)({ group: 'projections', partition: null, attempt: 1, error });
  expect(lines().map(({ msg }) => msg)).toEqual(['postgresql is away: waiting for it']);
});

test('a lost connection is logged, but not while everything closes', async () => {
  const { logger, text } = captureLog();
  const closers = createClosers();
  const lost = tellLost(logger, closers.closing);
  lost(new Error('terminated by an administrator'));
  expect(text()).toContain('database connection lost');
  const before = text();
  closers.add(() => lost(new Error('the server shuts down')));
  await closers.close();
  expect(text()).toBe(before);
});
