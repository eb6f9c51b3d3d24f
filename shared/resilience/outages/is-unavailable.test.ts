import { expect, it } from 'vitest';
import { RevisionConflict } from '../../event-log/errors.ts';
import { isUnavailable } from './is-unavailable.ts';

const withCode = (code: string): Error => Object.assign(new Error('some text'), { code });

it('waits for a server that is away', () => {
  const errors = [withCode('ECONNREFUSED'), withCode('57P01'), withCode('53300'), withCode('08006')];
  const messages = [
    'Connection terminated unexpectedly',
    'Query read timeout',
    'Client was closed and is not queryable',
  ];
  for (const error of [...errors, ...messages.map((message) => new Error(message))])
    expect(isUnavailable(error), error.message).toBe(true);
});

it('does not wait for what no waiting mends', () => {
  const errors = [
    withCode('42P01'),
    withCode('ENOENT'),
    withCode('22P02'),
    new TypeError('x is not a function'),
    new RevisionConflict('s', 1, 2),
  ];
  for (const error of [...errors, 'a string']) expect(isUnavailable(error)).toBe(false);
});
