import { expect, test } from 'vitest';
import { captureLog } from '@workledger/infra/testing/events/captured-logger.ts';
import { createIsolation, PluginFailure } from './isolation.ts';

const broken = (): never => {
  throw new Error('no idea');
};

function isolation() {
  const { logger, lines } = captureLog();
  const clock = { now: 1_000_000 };
  return { ...createIsolation('echo', logger, () => clock.now), lines, clock };
}

test('a part that fails five times in a row rests for 30 s; then one call may try', () => {
  const { run, facts, clock } = isolation();
  let calls = 0;
  const fail = (): never => {
    calls += 1;
    return broken();
  };
  for (let call = 0; call < 8; call++) expect(() => run('reader', fail)).toThrow(PluginFailure);
  expect(calls).toBe(5);
  expect(facts()).toEqual({ reader: { state: 'resting', reason: 'no idea' } });
  clock.now += 30_000;
  expect(() => run('reader', fail)).toThrow(/its reader failed: no idea/);
  expect(() => run('reader', fail)).toThrow(/rests: its reader failed 6 times/);
  expect(calls).toBe(6);
  clock.now += 30_000;
  expect(run('reader', () => 'well')).toBe('well');
  expect(facts()).toEqual({});
});

test('a part at rest holds up no other, and what is an answer is no failure', async () => {
  const { run, runAsync, facts } = isolation();
  for (let call = 0; call < 5; call++) expect(() => run('reader', broken)).toThrow();
  expect(run('writer', () => 1)).toBe(1);
  expect(await runAsync('writer', () => Promise.resolve(2))).toBe(2);
  const isAnswer = (error: unknown): boolean => error instanceof Error && error.message === 'no idea';
  for (let call = 0; call < 9; call++) expect(() => run('judge', broken, isAnswer)).toThrow('no idea');
  expect(Object.keys(facts())).toEqual(['reader']);
});

test('it is told once as it begins to fail and once as it works again', async () => {
  const { runAsync, lines } = isolation();
  for (let call = 0; call < 3; call++) await expect(runAsync('hear', async () => broken())).rejects.toThrow();
  await runAsync('hear', () => Promise.resolve());
  expect(lines().map(({ msg }) => msg)).toEqual(['a part of a plugin fails', 'a part of a plugin works again']);
});
