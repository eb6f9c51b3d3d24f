import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findDuplicates } from '../src/find-duplicates.mjs';

const contacts = (...emails) => emails.map((email) => ({ email }));

test('an empty book has no duplicates', () => {
  assert.deepEqual(findDuplicates([]), []);
});

test('addresses that occur once are no duplicates', () => {
  assert.deepEqual(findDuplicates(contacts('ann@example.org', 'bob@example.org')), []);
});

test('an address that occurs more than once is told once', () => {
  assert.deepEqual(findDuplicates(contacts('ann@example.org', 'ann@example.org', 'ann@example.org')), [
    'ann@example.org',
  ]);
});

test('duplicates come in the order in which they are written first', () => {
  const book = contacts('cid@example.org', 'ann@example.org', 'bob@example.org', 'ann@example.org', 'cid@example.org');
  assert.deepEqual(findDuplicates(book), ['cid@example.org', 'ann@example.org']);
});

test('upper and lower case make no difference', () => {
  assert.deepEqual(findDuplicates(contacts('ann@example.org', 'bob@example.org', 'ANN@Example.org')), [
    'ann@example.org',
  ]);
});

test('an address is told as it is written first', () => {
  assert.deepEqual(findDuplicates(contacts('Ann@Example.org', 'bob@example.org', 'Ann@Example.org')), ['Ann@Example.org']);
});

test('the book itself is not changed', () => {
  const book = contacts('bob@example.org', 'ann@example.org', 'bob@example.org');
  findDuplicates(book);
  assert.deepEqual(book, contacts('bob@example.org', 'ann@example.org', 'bob@example.org'));
});
