import { expect, it } from 'vitest';
import {
  RevisionConflict,
  AccessRefused,
  AppendTooLarge,
  InvalidAppend,
  OutcomeUnknown,
} from '../../event-log/errors.ts';
import { CommandRefused } from '../../commands/refusal.ts';
import { isUnavailable, isAccessRefused, isAway, isSign } from './signs.ts';

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

const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
const wrapped = new Error('the key could not be looked up', { cause: refused });

it('a lost connection and an answer that never came are worth another try, also as a cause', () => {
  for (const error of [refused, wrapped, new OutcomeUnknown('key-1', refused), new OutcomeUnknown('key-1', null)])
    expect([isAway(error), isSign(error)], error.message).toEqual([true, true]);
});

it('what is wrong in itself is not', () => {
  const duplicate = Object.assign(new Error('duplicate key'), { code: '23505' });
  const wrongFile = new Error('/keys/closed: this is no API key');
  for (const error of [wrongFile, duplicate, new RevisionConflict('key-1', 1, 2), 'a text'])
    expect(isAway(error)).toBe(false);
  expect([isSign(duplicate), isSign(new TypeError('no function'))]).toEqual([false, false]);
  const late = new DOMException('no answer in time', 'TimeoutError');
  expect([AbortSignal.abort().reason, late].map(isSign), 'given up by ourselves; in vain').toEqual([false, true]);
});

it('what the adapters answer is known by its name', () => {
  for (const answer of [
    new CommandRefused('not-found', 'no'),
    new RevisionConflict('key-1', 1, 2),
    new InvalidAppend('no events'),
    new AppendTooLarge('too many bytes'),
  ])
    expect(isSign(answer), answer.name).toBe(false);
  expect([isAccessRefused(new AccessRefused('no')), isAccessRefused(new Error('no'))]).toEqual([true, false]);
});
