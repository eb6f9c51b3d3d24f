import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, commandHash } from './canonical-json.ts';

it('the order of keys does not matter, at any depth', () => {
  expect(canonicalJson({ b: [{ d: 1, c: 2 }], a: 'x' })).toBe('{"a":"x","b":[{"c":2,"d":1}]}');
});
it('the order of a list does', () => {
  expect(canonicalJson([1, 2])).not.toBe(canonicalJson([2, 1]));
});
it('what is undefined is not there', () => {
  expect(canonicalJson({ a: undefined })).toBe('{}');
  expect(canonicalJson(undefined)).toBe('null');
});
it('any JSON value reads back as it was, and reads the same after a round trip', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
    }),
  );
});
it('a command of another type, for another target or with other data has another hash', () => {
  const command = { type: 'task.cancel', target: 'a', data: { reason: 'x' } };
  const others = [{ type: 'task.retry' }, { target: 'b' }, { data: { reason: 'y' } }];
  const hashes = [command, ...others.map((other) => ({ ...command, ...other }))].map(commandHash);
  expect(new Set(hashes).size).toBe(4);
  expect(commandHash({ ...command })).toBe(hashes[0]);
});
