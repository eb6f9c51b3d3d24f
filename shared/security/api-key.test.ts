import { expect, test } from 'vitest';
import { newId } from '../contexts/stream.ts';
import { hashSecret, newApiKey, parseApiKey, secretMatches } from './api-key.ts';

test('a new key names its id, and only its hash is needed to know it again', () => {
  const keyId = newId();
  const { key, secretHash } = newApiKey(keyId);
  const parsed = parseApiKey(key);
  expect(parsed?.keyId).toBe(keyId);
  expect(secretMatches(parsed?.secret ?? '', secretHash)).toBe(true);
  expect(secretHash).not.toContain(parsed?.secret);
});

test('two keys never share a secret', () => {
  const keyId = newId();
  expect(newApiKey(keyId).key).not.toBe(newApiKey(keyId).key);
});

test('another secret does not match, nor does a hash that is none', () => {
  expect(secretMatches('a', hashSecret('b'))).toBe(false);
  for (const hash of ['', 'zz', hashSecret('a').slice(2)]) expect(secretMatches('a', hash)).toBe(false);
});

test.each([
  ['another prefix', (key: string) => key.replace('wl_', 'xx_')],
  ['upper case in the id', (key: string) => key.slice(0, 35).toUpperCase() + key.slice(35)],
  ['a secret too short', (key: string) => key.slice(0, -1)],
  ['a secret too long', (key: string) => `${key}A`],
  ['a sign that is no base64url', (key: string) => `${key.slice(0, -1)}+`],
  ['a line break at the end', (key: string) => `${key}\n`],
  ['an id that is no UUID', (key: string) => `wl_${'f'.repeat(31)}0${key.slice(35)}`],
])('what has not the form of a key is none: %s', (_, change) => {
  const { key } = newApiKey('0198c0de-0000-7000-8000-000000000000');
  expect(parseApiKey(change(key))).toBeNull();
});
