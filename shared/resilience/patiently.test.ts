import { expect, it } from 'vitest';
import { createOutages } from './outages/outages.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { patiently } from './patiently.ts';

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

it('tries until it works, and says once for each reason that it waits', async () => {
  const { logger, text } = captureLog('info');
  const failures = ['refused', 'refused', 'starting up'];
  const attempt = (): Promise<string> => {
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve('opened') : Promise.reject(new Error(failure));
  };
  const { signal } = new AbortController();
  expect(await patiently('postgresql', attempt, { outages: createOutages(logger), signal })).toBe('opened');
  const said = lines(text());
  expect(said).toHaveLength(3);
  expect(said[0]).toContain('"reason":"refused"');
  expect(said[1]).toContain('"reason":"starting up"');
  expect(said[2]).toContain('postgresql is back');
});

it('says nothing when it works at once', async () => {
  const { logger, text } = captureLog('info');
  await patiently('kafka', () => Promise.resolve(), {
    outages: createOutages(logger),
    signal: new AbortController().signal,
  });
  expect(text()).toBe('');
});

it('tells the reasons of an error that gathers others', async () => {
  const { logger, text } = captureLog('info');
  const refused = new AggregateError([new Error('refused by ::1'), new Error('refused by 127.0.0.1')]);
  let tries = 0;
  const attempt = (): Promise<void> => (tries++ === 0 ? Promise.reject(refused) : Promise.resolve());
  await patiently('kafka', attempt, { outages: createOutages(logger), signal: new AbortController().signal });
  expect(text()).toContain('refused by ::1; refused by 127.0.0.1');
});

it('ends when it is told to stop', async () => {
  const stopping = new AbortController();
  const { logger } = captureLog('info');
  const waiting = patiently('kafka', () => Promise.reject(new Error('away')), {
    outages: createOutages(logger),
    signal: stopping.signal,
  });
  stopping.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
});

it('gives up at once what no waiting mends', async () => {
  const { logger, text } = captureLog('info');
  const wrong = (): Promise<void> => Promise.reject(new RangeError('this is no key'));
  const { signal } = new AbortController();
  const isFinal = (error: unknown): boolean => error instanceof RangeError;
  const waiting = patiently('event-log', wrong, { outages: createOutages(logger), signal, isFinal });
  await expect(waiting).rejects.toThrow('this is no key');
  expect(text()).toBe('');
});
