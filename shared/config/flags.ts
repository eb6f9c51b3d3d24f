import { createHash } from 'node:crypto';
import { z } from 'zod';
import { text } from '../contexts/text.ts';
import { name } from './intake-schema.ts';

const attribute = z.string().max(300);
const condition = z
  .strictObject({
    field: z
      .string()
      .regex(/^[a-zA-Z][\w.-]{0,99}$/)
      .describe('an attribute of who is asked about, such as repository, type, role or environment'),
    equals: attribute.optional(),
    in: z.array(attribute).min(1).max(200).optional(),
  })
  .refine((rule) => (rule.equals === undefined) !== (rule.in === undefined), 'say either equals or in');

/** Something that is on for some. */
export const flagSchema = z.strictObject({
  name,
  enabled: z.boolean().default(true).describe('false: it is off for all'),
  percentage: z
    .number()
    .min(0)
    .max(100)
    .default(100)
    .describe('of all subjects; the same ones always, and more of them when it is raised'),
  match: z.array(condition).max(50).default([]).describe('only where all of these hold'),
  description: z.string().max(1_000).default(''),
});
export type Flag = z.infer<typeof flagSchema>;

export type Attributes = Readonly<Record<string, string>>;
export type Evaluation = { readonly on: boolean; readonly reason: string };

/** What a hash of four bytes can say: finer than any percentage that somebody writes. */
const BUCKETS = 2 ** 32;

/** Where a subject stands between 0 and 100 for a flag: always the same, and for each flag another. */
const placeOf = (flag: string, subject: string): number =>
  (createHash('sha256')
    .update(JSON.stringify([flag, subject]))
    .digest()
    .readUInt32BE(0) /
    BUCKETS) *
  100;

/** Whether a flag is on for a subject, and why. Raising the percentage takes nobody out. */
export function evaluateFlag(flag: Flag, subject: string, attributes: Attributes = {}): Evaluation {
  if (!flag.enabled) return { on: false, reason: 'it is off for all' };
  const missed = flag.match.find((rule) => {
    const value = Object.hasOwn(attributes, rule.field) ? attributes[rule.field] : undefined;
    return value === undefined || !(rule.in ?? [rule.equals]).includes(value);
  });
  if (missed !== undefined) return { on: false, reason: `${missed.field} is not what its rule asks for` };
  const on = placeOf(flag.name, subject) < flag.percentage;
  return { on, reason: `${subject} is ${on ? '' : 'not '}among ${flag.percentage} % of all` };
}

/** Whether a flag is on for a subject; one that nobody has set says nothing, and it is on. */
export function isOn(flags: readonly Flag[] | undefined, name: string, subject: string, about: Attributes): boolean {
  const flag = flags?.find((one) => one.name === name);
  return flag === undefined || evaluateFlag(flag, subject, about).on;
}

/** Whom a flag is asked about. */
export const flagQuestion = z.strictObject({
  subject: text(300, 1).describe('whom it is about: the same one is always answered the same'),
  attributes: z.record(text(100, 1), text(300)).default({}).describe('by the names that the rules of the flag have'),
});
export const flagVerdict = z.strictObject({ name: z.string(), on: z.boolean(), reason: z.string() });
