import { expect, it } from 'vitest';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { NoAnswer } from '@workledger/shared/commands/no-answer.ts';
import { captureLog } from '@workledger/shared/telemetry/testing/captured-logger.ts';
import { createOutages } from './outages.ts';

const fails = (error: Error) => () => Promise.reject(error);
const works = () => Promise.resolve('done');
const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

it('says once that a server is away and once that it is back, whoever meets it', async () => {
  const { logger, lines } = captureLog();
  const outages = createOutages(logger);
  for (let times = 0; times < 3; times++) await outages.watch('postgresql', fails(refused())).catch(() => undefined);
  expect(await outages.watch('postgresql', works)).toBe('done');
  await outages.watch('postgresql', works);
  expect(lines().map(({ msg }) => msg)).toEqual(['postgresql is away: sagas wait for it', 'postgresql is back']);
});

it('keeps servers apart and knows what it has told', async () => {
  const { logger, lines } = captureLog();
  const outages = createOutages(logger);
  const error = refused();
  await outages.watch('event-log', fails(error)).catch(() => undefined);
  await outages.watch('postgresql', works);
  expect(outages.isTold(error)).toBe(true);
  expect(outages.isTold(refused())).toBe(false);
  expect(lines()).toHaveLength(1);
});

it('does not take a server for away that says no', async () => {
  const { logger, text } = captureLog();
  const outages = createOutages(logger);
  const unique = Object.assign(new Error('duplicate key'), { code: '23505' });
  await expect(outages.watch('postgresql', fails(unique))).rejects.toBe(unique);
  await expect(outages.watch('command-service', fails(new CommandRefused('not-found', 'no')))).rejects.toThrow('no');
  expect(outages.isTold(unique)).toBe(false);
  expect(text()).toBe('');
});

it('takes a PostgreSQL that shuts down, or that a distant command-service misses, for away', async () => {
  const { logger, lines } = captureLog();
  const outages = createOutages(logger);
  const shutdown = Object.assign(new Error('terminating connection'), { code: '57P01' });
  const silent = new NoAnswer('no answer');
  await outages.watch('postgresql', fails(shutdown)).catch(() => undefined);
  await outages.watch('command-service', fails(silent)).catch(() => undefined);
  expect(outages.isTold(silent)).toBe(true);
  expect(lines().map(({ reason }) => reason)).toEqual(['terminating connection']);
});
