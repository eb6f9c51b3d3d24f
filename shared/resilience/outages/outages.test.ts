import { expect, it } from 'vitest';
import { CommandRefused } from '../../commands/refusal.ts';
import { NoAnswer } from '../../commands/port.ts';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createOutages } from './outages.ts';

const fails = (error: Error) => () => Promise.reject(error);
const works = () => Promise.resolve('done');
const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

it('says once that a server is away and once that it is back, whoever meets it', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  for (let times = 0; times < 3; times++) await outages.watch('postgresql', fails(refused())).catch(() => undefined);
  expect(await outages.watch('postgresql', works)).toBe('done');
  await outages.watch('postgresql', works);
  expect(lines().map(({ msg }) => msg)).toEqual(['postgresql is away: waiting for it', 'postgresql is back']);
});

it('keeps servers apart and knows what it has told', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const error = refused();
  await outages.watch('event-log', fails(error)).catch(() => undefined);
  await outages.watch('postgresql', works);
  expect(outages.isTold(error)).toBe(true);
  expect(outages.isTold(refused())).toBe(false);
  expect(lines()).toHaveLength(1);
});

it('does not take a server for away that says no', async () => {
  const { logger, text } = captureLog('info');
  const outages = createOutages(logger);
  const unique = Object.assign(new Error('duplicate key'), { code: '23505' });
  await expect(outages.watch('postgresql', fails(unique))).rejects.toBe(unique);
  await expect(outages.watch('command-service', fails(new CommandRefused('not-found', 'no')))).rejects.toThrow('no');
  expect(outages.isTold(unique)).toBe(false);
  expect(text()).toBe('');
});

it('takes a PostgreSQL that shuts down, and a command-service that is silent, for away', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const shutdown = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const silent = new NoAnswer('no answer');
  await outages.watch('postgresql', fails(shutdown)).catch(() => undefined);
  await outages.watch('command-service', fails(silent)).catch(() => undefined);
  expect(outages.isTold(silent)).toBe(true);
  expect(lines().map(({ reason }) => reason)).toEqual(['terminating connection', 'no answer']);
});

it('waits for all who need a server by name, and tells once that it is back', () => {
  const { logger, lines } = captureLog('info');
  const kafka = createOutages(logger).of('kafka');
  kafka.worked('publisher');
  for (let attempt = 0; attempt < 3; attempt++) {
    kafka.failed('group', refused());
    kafka.failed('publisher', refused());
  }
  kafka.worked('publisher');
  expect(lines().map(({ msg }) => msg)).toEqual(['kafka is away: waiting for it']);
  kafka.worked('group');
  kafka.worked('group');
  expect(lines().map(({ msg }) => msg)).toEqual(['kafka is away: waiting for it', 'kafka is back']);
});

it('tells a reason of another kind once, however the reasons take turns', () => {
  const { logger, lines } = captureLog('info');
  const server = createOutages(logger).of('postgresql');
  const silent = new Error('Connection terminated unexpectedly');
  const starved = Object.assign(new Error('the password is wrong'), { code: '28P01' });
  for (const error of [refused(), silent, starved, refused(), starved, silent]) server.failed(null, error);
  expect(lines().map(({ reason }) => reason)).toEqual(['connect ECONNREFUSED', 'the password is wrong']);
});

it('an error is told of one server only, also under another error that it caused', () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  const error = refused();
  outages.notice('postgresql', error);
  const unknown = new Error('the answer was lost', { cause: error });
  expect([outages.notice('event-log', unknown), outages.isTold(unknown)]).toEqual([true, true]);
  outages.join('event-log', 'postgresql');
  outages.notice('event-log', refused());
  expect(lines()).toHaveLength(1);
});

it('what was begun before a server went away, or before it came back, tells nothing of now', async () => {
  const { logger, lines } = captureLog('info');
  const outages = createOutages(logger);
  let answer = (): void => undefined;
  let refuse = (_: Error): void => undefined;
  const answered = outages.watch('postgresql', () => new Promise<void>((resolve) => (answer = resolve)));
  await new Promise((resolve) => setTimeout(resolve, 2));
  outages.notice('postgresql', refused());
  answer();
  await answered;
  expect(lines()).toHaveLength(1);
  const failed = outages.watch('postgresql', () => new Promise<void>((_, reject) => (refuse = reject)));
  await new Promise((resolve) => setTimeout(resolve, 2));
  await outages.watch('postgresql', works);
  refuse(refused());
  await expect(failed).rejects.toThrow('ECONNREFUSED');
  expect(lines().map(({ msg }) => msg)).toEqual(['postgresql is away: waiting for it', 'postgresql is back']);
});
