import fc from 'fast-check';
import { applyPatch as applyByOthers } from 'rfc6902';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../aggregate/canonical-json.ts';
import { canonical, faultOf, type Json } from './json.ts';
import { applyMerge, applyPatch, difference, PatchFailed, type Operation } from './patch.ts';

const keys = fc.constantFrom('a', 'b', 'c', '10', '9', 'a/b', 'm~n', '', 'é');
const leaf = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.constantFrom('', 'x', 'y'), fc.boolean(), fc.constant(null));
const json: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
})).value;
const object = fc.dictionary(keys, json, { maxKeys: 5 });
const pointer = fc
  .array(fc.constantFrom('a', 'b', 'c', '10', 'a~1b', 'm~0n', '0', '1', '-'), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.map((part) => `/${part}`).join(''));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const, 'test' as const), path: pointer, value: json }),
  fc.record({ op: fc.constant('remove' as const), path: pointer }),
  fc.record({ op: fc.constantFrom('move' as const, 'copy' as const), from: pointer, path: pointer }),
);

/** What another program makes of a patch; null: it refuses. */
function byOthers(value: Json, patch: readonly Operation[]): Json | null {
  const copy = structuredClone(value) as object;
  return applyByOthers(copy, structuredClone(patch) as never).every((error) => error === null) ? (copy as Json) : null;
}

const ours = (value: Json, patch: readonly Operation[]): Json | null => {
  try {
    return applyPatch(value, patch);
  } catch (error) {
    expect(error).toBeInstanceOf(PatchFailed);
    return null;
  }
};

describe('a JSON Patch', () => {
  it('does to an object what another program makes of it, where both take it', () => {
    let taken = 0;
    fc.assert(
      fc.property(object, operation, (value, one) => {
        const mine = ours(value, [one]);
        // It takes more than the standard allows, and reaches what objects inherit: that is refused here.
        if (mine === null) return;
        const theirs = byOthers(value, [one]);
        taken++;
        expect(canonical(mine)).toBe(canonical(theirs));
      }),
      { numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it.each<[string, Json, Operation[], Json | null]>([
    ['adds at the end of a list', { a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    ['adds within a list', { a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    ['replaces the whole', { a: 1 }, [{ op: 'add', path: '', value: { b: 2 } }], { b: 2 }],
    ['moves', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    ['copies', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/a/c' }], { a: { b: 1, c: { b: 1 } } }],
    [
      'tests whatever the order of members',
      { a: { b: 1, c: 2 } },
      [{ op: 'test', path: '/a', value: { c: 2, b: 1 } }],
      { a: { b: 1, c: 2 } },
    ],
    ['does not replace what is not there', {}, [{ op: 'replace', path: '/a', value: 1 }], null],
    ['does not reach beyond a list', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], null],
    ['takes no 01 for a place', { a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], null],
    ['does not move a value into itself', { a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }], null],
    ['does not remove the whole', {}, [{ op: 'remove', path: '' }], null],
    ['reaches nothing that objects inherit', { a: {} }, [{ op: 'add', path: '/a/toString/x', value: 1 }], null],
    ['reaches no prototype', { a: {} }, [{ op: 'add', path: '/a/constructor/prototype/x', value: 1 }], null],
  ])('%s', (_, value, patch, expected) => {
    expect(ours(value, patch)).toEqual(expected);
    expect(Object.hasOwn(Object.prototype, 'x') || Object.hasOwn(Object.prototype.toString, 'x')).toBe(false);
  });

  it('that copies itself again and again is refused before it is large', () => {
    const again = Array.from({ length: 60 }, (_, place): Operation => ({ op: 'copy', from: '', path: `/${place}` }));
    expect(ours({ a: 1 }, again)).toBeNull();
    const deeper = Array.from({ length: 200 }, (): Operation => ({ op: 'move', from: '/a', path: '/a' }));
    expect(ours({ a: 1 }, deeper)).toEqual({ a: 1 });
  });

  it('of a difference makes one of the other', () => {
    fc.assert(
      fc.property(object, object, (from, to) => {
        expect(canonical(applyPatch(from, difference(from, to)))).toBe(canonical(to));
      }),
    );
  });
});

it('a merge patch sets and removes, as RFC 7396 has it', () => {
  expect(applyMerge({ a: 'b', c: { d: 'e', f: 'g' } }, { a: 'z', c: { f: null } })).toEqual({ a: 'z', c: { d: 'e' } });
  expect(applyMerge({ a: [1] }, { a: { b: null, c: 1 } })).toEqual({ a: { c: 1 } });
});

describe('a digest', () => {
  it('is the same whatever the order of members', () => {
    fc.assert(
      fc.property(object, (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(digestOf(turned)).toBe(digestOf(value));
      }),
    );
  });
  it('is of the canonical form of RFC 8785', () => {
    const numbers = [333333333.33333329, 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0];
    expect(canonical(numbers)).toBe('[333333333.3333333,1e+30,4.5,0.002,1e-27,0]');
    expect(canonical({ '\u20ac': 1, '\r': 2, '10': 3, '9': 4, '\ud83d\ude02': 5, '\ufb33': 6 })).toBe(
      '{"\\r":2,"10":3,"9":4,"€":1,"😂":5,"\ufb33":6}',
    );
  });
});

it.each([
  ['U+0000', { a: ['\u0000'] }],
  ['half a character', { '\ud800': 1 }],
  ['__proto__', JSON.parse('{"a":{"__proto__":{}}}')],
  ['no number', { a: JSON.parse('1e999') as number }],
  ['65 levels', Array.from({ length: 65 }).reduce<Json>((value) => [value], 1)],
])('%s cannot be kept', (_, value) => expect(faultOf(value)).not.toBeNull());
