import { expect, test } from 'vitest';
import { z } from 'zod';
import { CommandRefused } from '../commands/refusal.ts';
import { AppendTooLarge, InvalidAppend, OutcomeUnknown, RevisionConflict } from '../event-log/errors.ts';
import { Problem, problemDocument, toProblem } from './problem.ts';

const schemaFault = z.string().safeParse(1).error;

test.each([
  ['an event that is too large', new AppendTooLarge('300 kB'), 413, 'too-large'],
  ['an append that no retry can mend', new InvalidAppend('U+0000'), 400, 'invalid-command'],
  ['an append whose answer was lost', new OutcomeUnknown('task-x', null), 503, 'unavailable'],
  ['a stream that others change all the time', new RevisionConflict('task-x', 1, 2), 503, 'unavailable'],
  ['a database that is away', Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), 503, 'unavailable'],
  ['a database that shuts down', Object.assign(new Error('terminating'), { code: '57P01' }), 503, 'unavailable'],
  ['a lock that was not to be had', Object.assign(new Error('lock'), { code: '55P03' }), 503, 'unavailable'],
  ['a statement whose time is over', Object.assign(new Error('cancelled'), { code: '57014' }), 503, 'unavailable'],
  ['a serialization failure', Object.assign(new Error('conflict'), { code: '40001' }), 503, 'unavailable'],
  ['a deadlock', Object.assign(new Error('deadlock'), { code: '40P01' }), 503, 'unavailable'],
  ['a statement that is wrong', Object.assign(new Error('syntax'), { code: '42601' }), 500, 'internal-error'],
  ['a schema fault within: ours, not the caller’s', schemaFault, 500, 'internal-error'],
  ['what is no error at all', 'oops', 500, 'internal-error'],
])('%s', (_, error, status, code) => {
  expect(toProblem(error)).toMatchObject({ status, code });
});

test('what may pass by itself says when to try again', () => {
  const beaten = Object.assign(new Error('deadlock'), { code: '40P01' });
  for (const error of [new OutcomeUnknown('task-x', null), beaten])
    expect(toProblem(error).headers).toEqual({ 'Retry-After': '1' });
});

test('the field errors of a refusal stand where those of a request stand', () => {
  const errors = [{ path: 'agentId', message: 'missing' }];
  const problem = toProblem(new CommandRefused('invalid-command', 'no', { errors, hint: 'x' }));
  expect(problemDocument(problem)).toEqual({
    type: 'https://workledger.dev/problems/invalid-command',
    title: 'The command is not valid',
    status: 400,
    detail: 'no',
    errors,
    facts: { hint: 'x' },
  });
});

test('a problem stays what it is', () => {
  const problem = new Problem('forbidden', 'no');
  expect(toProblem(problem)).toBe(problem);
});
