import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { incompatibilities } from './compatibility.ts';

const shape = {
  title: z.string(),
  priority: z.int().min(1).max(5),
  state: z.enum(['open', 'closed']),
  labels: z.array(z.object({ name: z.string() })),
  owner: z.string().nullable(),
  note: z.string().optional(),
};
const json = (fields: z.ZodRawShape) => z.toJSONSchema(z.strictObject(fields)) as Record<string, unknown>;
const compare = (changed: z.ZodRawShape): string[] => incompatibilities(json(shape), json(changed));
const { title: _title, ...untitled } = shape;

describe('a schema that others rely on', () => {
  it.each<[string, z.ZodRawShape]>([
    ['stays as it is', shape],
    ['is told in other words', { ...shape, title: z.string().describe('what it is called') }],
    ['gets an optional field', { ...shape, due: z.string().optional() }],
    [
      'gets an optional field deep inside',
      { ...shape, labels: z.array(z.object({ name: z.string(), colour: z.string().optional() })) },
    ],
    ['gets a value more', { ...shape, state: z.enum(['open', 'closed', 'lost']) }],
    [
      'gets values that are not listed',
      { ...shape, state: z.union([z.enum(['open', 'closed']), z.string().regex(/^x-/)]) },
    ],
  ])('may go on where it %s', (_, changed) => {
    expect(compare(changed)).toEqual([]);
  });

  it.each<[string, z.ZodRawShape, string]>([
    ['a field is removed', untitled, 'data.title was removed or renamed'],
    ['a field is renamed', { ...untitled, name: z.string().optional() }, 'data.title was removed or renamed'],
    ['a field is retyped', { ...shape, title: z.number() }, 'data.title was retyped: type was "string", is "number"'],
    ['a bound moves', { ...shape, priority: z.int().min(1).max(9) }, 'data.priority was retyped: maximum was 5, is 9'],
    ['a value goes', { ...shape, state: z.enum(['open']) }, 'data.state can no longer be closed'],
    [
      'a value goes among others',
      { ...shape, state: z.union([z.enum(['open']), z.string().regex(/^x-/)]) },
      'data.state can no longer be closed',
    ],
    [
      'a listed value becomes a number',
      { ...shape, state: z.union([z.enum(['open', 'closed']), z.number()]) },
      'data.state was retyped: type was "string", is undefined',
    ],
    ['a new field is required', { ...shape, due: z.string() }, 'data.due is new and required: make it optional'],
    ['a field becomes required', { ...shape, note: z.string() }, 'data.note became required'],
    ['a field becomes optional', { ...shape, title: z.string().optional() }, 'data.title became optional'],
    [
      'a field deep inside is retyped',
      { ...shape, labels: z.array(z.object({ name: z.boolean() })) },
      'data.labels[].name was retyped: type was "string", is "boolean"',
    ],
    [
      'a field can no longer be null',
      { ...shape, owner: z.string() },
      'data.owner was retyped: type was ["string","null"], is "string"',
    ],
  ])('may not where %s', (_, changed, why) => {
    expect(compare(changed)).toContain(why);
  });
});
