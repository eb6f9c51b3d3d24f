import { describe, expect, it } from 'vitest';
import { checkCommit } from './check-commit.ts';

// What a real server was seen to do, row by row.
describe('a stream that has the events a, b, c', () => {
  const present = ['a', 'b', 'c'];
  it.each([
    ['the same ids, as at first', ['a', 'b', 'c'], -1, { kind: 'repeat', last: 2 }],
    ['the same ids, under any revision', ['a', 'b', 'c'], 'any', { kind: 'repeat', last: 2 }],
    ['a part, from its original revision', ['b', 'c'], 0, { kind: 'repeat', last: 2 }],
    ['a part, after the stream moved on', ['a'], -1, { kind: 'repeat', last: 0 }],
    ['the same ids and a new one', ['a', 'b', 'c', 'd'], -1, { kind: 'conflict', actual: 2 }],
    ['the same ids, reversed', ['c', 'b', 'a'], -1, { kind: 'conflict', actual: 2 }],
    ['the same ids under the current revision: written twice', ['a', 'b', 'c'], 2, { kind: 'write' }],
    ['new ids under the current revision', ['d'], 2, { kind: 'write' }],
    ['new ids under an older revision', ['d'], 1, { kind: 'conflict', actual: 2 }],
    ['new ids under a revision to come', ['d'], 3, { kind: 'conflict', actual: 2 }],
  ] as const)('takes %s', (_, ids, expected, decision) => {
    expect(checkCommit(present, expected, ids)).toEqual(decision);
  });
});

it('a stream that is not there takes none, and nothing else', () => {
  expect(checkCommit([], -1, ['a'])).toEqual({ kind: 'write' });
  expect(checkCommit([], 0, ['a'])).toEqual({ kind: 'conflict', actual: -1 });
  expect(checkCommit([], 'exists', ['a'])).toEqual({ kind: 'conflict', actual: -1 });
  expect(checkCommit([], 'any', ['a'])).toEqual({ kind: 'write' });
});
