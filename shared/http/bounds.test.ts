import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parsePart } from './parse.ts';
import { Problem } from './problem.ts';

let parsed = 0;
const item = z.unknown().transform((value) => {
  parsed++;
  return value;
});
const list = z.array(item).min(1).max(50);
const schema = z.strictObject({
  plain: list.optional(),
  defaulted: list.nullable().default(null),
  either: z.union([z.string(), list]).optional(),
  items: z
    .array(z.strictObject({ inner: list }))
    .max(3)
    .optional(),
  named: z.record(z.string(), list).optional(),
  anything: z.unknown().optional(),
});

/** What a body is told, and how many items were parsed to find it out. */
function told(body: unknown) {
  parsed = 0;
  try {
    parsePart(schema, body, 'body');
  } catch (error) {
    if (error instanceof Problem) return { errors: error.errors, parsed };
    throw error;
  }
  return { errors: [], parsed };
}
const many = Array.from({ length: 1_000_000 }, () => 0);
const tooMany = (path: string, most = 50) => ({
  errors: [{ path, message: `Too big: expected array to have <=${most} items` }],
  parsed: 0,
});
const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

describe('a list of a million items costs one error, and none of them is parsed', () => {
  test.each([
    ['as a field', { plain: many }, 'body.plain'],
    ['behind a default', { defaulted: many }, 'body.defaulted'],
    ['as one of two forms', { either: many }, 'body.either'],
    ['in an item of a list', { items: [{ inner: [1] }, { inner: many }] }, 'body.items.1.inner'],
    ['in a record', { named: { a: [1], b: many } }, 'body.named.b'],
  ])('%s', (_, body, path) => expect(told(body)).toEqual(tooMany(path)));

  test('where no schema says what it is', () => {
    expect(told({ anything: many })).toEqual(tooMany('body.anything', 1_000));
    expect(told(many)).toEqual(tooMany('body', 1_000));
  });
});

test('one more than allowed is too many, and as many as allowed are parsed', () => {
  expect(told({ plain: many.slice(0, 51) })).toEqual(tooMany('body.plain'));
  expect(told({ plain: many.slice(0, 50) })).toEqual({ errors: [], parsed: 50 });
});

test('depth, keys and the sum of all values have a bound', () => {
  expect(told({ anything: nested(31) })).toEqual({ errors: [], parsed: 0 });
  const [deep] = told({ anything: nested(100_000) }).errors ?? [];
  expect(deep?.message).toBe('Too deep: nested more than 32 times');
  const keys = Object.fromEntries(many.slice(0, 2_000).map((_, index) => [`k${index}`, 0]));
  expect(told(keys).errors).toEqual([{ path: 'body', message: 'Too big: expected object to have <=1000 keys' }]);
  const lists = many.slice(0, 200).map(() => many.slice(0, 900));
  expect(told({ anything: lists }).errors).toEqual([
    { path: 'body', message: 'Too big: more than 100000 values in all' },
  ]);
});
