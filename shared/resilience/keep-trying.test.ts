import { expect, it } from 'vitest';
import { keepTrying } from './keep-trying.ts';

const never = new AbortController().signal;

it('tries until it works, and tells each failure with its number', async () => {
  const failures = ['refused', 'starting'];
  const told: [string, number][] = [];
  const action = (): Promise<string> => {
    const failure = failures.shift();
    return failure === undefined ? Promise.resolve('done') : Promise.reject(new Error(failure));
  };
  const onFailed = (error: unknown, attempt: number): void => void told.push([(error as Error).message, attempt]);
  expect(await keepTrying(action, { signal: never, shortest: 1, longest: 2, onFailed })).toBe('done');
  expect(told).toEqual([
    ['refused', 1],
    ['starting', 2],
  ]);
});

it('gives up when the signal aborts, in the middle of a pause, too', async () => {
  const stopping = new AbortController();
  const trying = keepTrying(() => Promise.reject(new Error('away')), {
    signal: stopping.signal,
    shortest: 60_000,
    longest: 60_000,
    onFailed: () => queueMicrotask(() => stopping.abort()),
  });
  expect(await trying).toBeNull();
});

it('does not begin when the signal has aborted', async () => {
  let tries = 0;
  const action = (): Promise<void> => Promise.resolve(void tries++);
  const signal = AbortSignal.abort();
  expect(await keepTrying(action, { signal, shortest: 1, longest: 1, onFailed: () => undefined })).toBeNull();
  expect(tries).toBe(0);
});

it('ends with what the teller throws', async () => {
  const onFailed = (error: unknown): never => {
    throw new Error('final', { cause: error });
  };
  const trying = keepTrying(() => Promise.reject(new Error('wrong')), {
    signal: never,
    shortest: 1,
    longest: 1,
    onFailed,
  });
  await expect(trying).rejects.toThrow('final');
});

it('tries again only what it is told to', async () => {
  const failures = [new TypeError('away'), new RangeError('wrong')];
  const told: unknown[] = [];
  const trying = keepTrying(() => Promise.reject(failures.shift() ?? new Error('once too often')), {
    shortest: 1,
    longest: 1,
    retryWhile: (error) => error instanceof TypeError,
    onFailed: (error) => void told.push(error),
  });
  await expect(trying).rejects.toThrow('wrong');
  expect(told).toEqual([new TypeError('away')]);
});

it('counts anew what fails after it worked for a while', async () => {
  const attempts: number[] = [];
  let tries = 0;
  const action = (worked: () => void): Promise<string> => {
    tries += 1;
    if (tries === 3) worked();
    return tries < 5 ? Promise.reject(new Error('away')) : Promise.resolve('done');
  };
  const onFailed = (_: unknown, attempt: number): void => void attempts.push(attempt);
  expect(await keepTrying(action, { shortest: 1, longest: 1, onFailed })).toBe('done');
  expect(attempts).toEqual([1, 2, 1, 2]);
});
