import { z } from 'zod';
import { defineCommands, operators, workers } from '../../define-commands.ts';
import { participant } from '../../participant.ts';
import { text, word } from '../../text.ts';
import { POINTER, strategy } from './events.ts';

/** Characters of a document in its canonical form, as bytes of UTF-8. */
export const MOST_BYTES = 128 * 1024;
/** Operations of a patch. */
const MOST_OPERATIONS = 200;

const pointer = z
  .string()
  .max(2_000)
  .regex(new RegExp(POINTER), 'a JSON Pointer: empty, or /key/key with ~0 for ~ and ~1 for /')
  .refine((value) => value.isWellFormed(), 'not well-formed Unicode (a lone surrogate)');

/** Any object, as it came: a schema that looks into it would leave keys out. */
const object = z
  .unknown()
  .refine((value) => typeof value === 'object' && value !== null && !Array.isArray(value), 'use an object')
  .meta({ type: 'object' });
const value = z.unknown();

const operation = z.discriminatedUnion('op', [
  z.strictObject({ op: z.enum(['add', 'replace', 'test']), path: pointer, value }),
  z.strictObject({ op: z.literal('remove'), path: pointer }),
  z.strictObject({ op: z.enum(['move', 'copy']), from: pointer, path: pointer }),
]);

const rules = {
  strategy: strategy
    .optional()
    .describe('how a field is settled that was changed on both sides; default: as its repository says, else manual'),
  fields: z
    .array(z.strictObject({ path: pointer, strategy }))
    .max(100)
    .default([])
    .describe('other strategies for some fields and what is within them; the longest path that fits counts'),
  sources: z
    .array(
      z.strictObject({
        name: word,
        priority: z.int().min(0).max(1_000_000),
        participants: z.array(participant).max(100).default([]).describe('who speaks for it; empty: whoever says so'),
      }),
    )
    .max(50)
    .default([])
    .describe('the higher the priority, the more it counts; whoever is none of them has priority 0'),
};

export const documentCommands = defineCommands({
  'document.create': {
    data: z.strictObject({
      name: text(200, 1),
      repository: text(200, 1).nullable().default(null).describe('keys that are limited to others do not see it'),
      body: object.describe(`a JSON object, ${MOST_BYTES} bytes at most`),
      ...rules,
    }),
    roles: workers,
    creates: true,
  },
  'document.propose': {
    data: z.strictObject({
      base: z.int().min(0).max(999_999_999).describe('the version that the change was made on'),
      patch: z.array(operation).min(1).max(MOST_OPERATIONS).optional().describe('a JSON Patch (RFC 6902)'),
      merge: object.optional().describe('a JSON Merge Patch (RFC 7396), in place of `patch`'),
      source: word.nullable().default(null).describe('one of the sources of the document'),
    }),
    roles: workers,
  },
  'document.resolve': {
    data: z.strictObject({
      conflict: z.string().regex(/^\d{1,9}-\d{1,4}$/, 'the id of a conflict'),
      choose: z.enum(['current', 'proposed', 'value']),
      value: z.unknown().optional().describe('with `value`'),
    }),
    roles: operators,
  },
  'document.change-rules': { data: z.strictObject(rules), roles: operators },
  'document.delete': { data: z.strictObject({}), roles: operators },
});
