import { newId } from '@workledger/shared/contexts/stream.ts';
import { CommandRefused } from '@workledger/shared/commands/refusal.ts';
import { Script } from 'node:vm';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { checkContent, checkSchema } from './content.ts';

const refusalOf = (act: () => void): CommandRefused | null => {
  try {
    act();
    return null;
  } catch (error) {
    if (error instanceof CommandRefused) return error;
    throw error;
  }
};
const check = (schema: Record<string, unknown>, content: unknown): CommandRefused | null =>
  refusalOf(() => checkContent({ key: newId(), schema }, content, JSON.stringify(content)));

describe('a schema is refused', () => {
  let deep: Record<string, unknown> = {};
  for (let level = 0; level < 40; level++) deep = { not: deep };
  test.each<[string, Record<string, unknown>]>([
    ['that is too large', { description: 'x'.repeat(17_000) }],
    ['that is too deep', deep],
    ['that reaches out of itself', { $ref: 'https://example.org/schema' }],
    ['that reaches into a file', { properties: { a: { $ref: 'other.json#/a' } } }],
    ['of another draft', { $schema: 'http://json-schema.org/draft-04/schema#' }],
    ['with a name of its own', { $id: 'https://example.org/mine' }],
    ['whose words have other values than they may', { type: 'text' }],
    ['that refers to what it does not have', { $ref: '#/$defs/none' }],
    ['with a pattern that is none', { pattern: '(' }],
    ['with a pattern of repeated repetition', { pattern: '^(a+)+$' }],
    ['with a pattern of repeated choice', { pattern: '^(a|a)*$' }],
    ['with a pattern that looks back', { pattern: String.raw`(a)\1` }],
    ['with a pattern that looks around', { pattern: '(?=a)b' }],
    ['with such a pattern for names', { patternProperties: { '^(a*)*$': {} } }],
    ['with an endless pattern', { pattern: 'a'.repeat(201) }],
  ])('%s', (_, schema) => {
    expect(refusalOf(() => checkSchema(schema))?.code).toBe('out-of-range');
  });
});

test('a schema with parts of its own, and formats that nobody knows, is taken', () => {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { parts: { type: 'array', items: { $ref: '#/$defs/part' } }, at: { format: 'date-time' } },
    $defs: { part: { type: 'object', properties: { inner: { $ref: '#/$defs/part' } }, additionalProperties: false } },
  };
  expect(refusalOf(() => checkSchema(schema))).toBe(null);
  expect(check(schema, { parts: [{ inner: { inner: {} } }], at: 'noon' })).toBe(null);
  expect(check(schema, { parts: [{ inner: { outer: 1 } }] })).toMatchObject({
    code: 'invalid-content',
    facts: { errors: [{ path: 'content.parts.0.inner', message: expect.stringContaining('additional') as string }] },
  });
});

test('what takes too long is given up, however it does', () => {
  // As if a pattern had come past the look at it.
  expect(check({ pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`)).toMatchObject({ code: 'invalid-content' });
});

describe('a machine that is busy with something else', () => {
  const out = Object.assign(new Error('Script execution timed out'), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  const judge = () => refusalOf(() => checkContent({ key: 'known', schema: {} }, 'x', '"x"'));
  /** The first look at a content is over before its time, in which it had the machine for so long. */
  const interrupted = (cpuMilliseconds: number) => {
    judge();
    onTestFinished(() => void vi.restoreAllMocks());
    vi.spyOn(process, 'cpuUsage').mockReturnValue({ user: cpuMilliseconds * 1_000, system: 0 });
    return vi.spyOn(Script.prototype, 'runInContext').mockImplementationOnce(() => {
      throw out;
    });
  };

  test('has what it had no time for judged again, for longer', () => {
    const judged = interrupted(3);
    expect(judge()).toBeNull();
    expect(judged.mock.calls.map(([, options]) => (options as { timeout: number }).timeout)).toEqual([250, 500]);
  });

  test('is no excuse for what really ran so long', () => {
    interrupted(200);
    expect(judge()).toMatchObject({ code: 'invalid-content' });
  });

  test('is not waited for without an end', () => {
    const judged = interrupted(0).mockImplementation(() => {
      throw out;
    });
    expect(judge()).toMatchObject({ code: 'invalid-content' });
    expect(judged).toHaveBeenCalledTimes(4);
  });
});

test('a content has a size, a depth, and no U+0000', () => {
  expect(check({}, 'x'.repeat(70_000))?.code).toBe('too-large');
  let deep: unknown = 1;
  for (let level = 0; level < 40; level++) deep = [deep];
  expect(check({}, deep)?.code).toBe('invalid-content');
  expect(check({}, 'a\u0000')?.code).toBe('invalid-content');
});
