import { expect, it } from 'vitest';
import { CommandRefused } from '../../commands/refusal.ts';
import {
  AccessRefused,
  AppendTooLarge,
  InvalidAppend,
  OutcomeUnknown,
  RevisionConflict,
} from '../../event-log/errors.ts';
import { isAccessRefused, isAway, isSign } from './signs.ts';

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
