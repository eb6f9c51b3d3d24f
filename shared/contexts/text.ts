import { z } from 'zod';

/**
 * Text from outside: bounded, and without U+0000, which PostgreSQL cannot store. @param max characters as JSON Schema counts them:
 * code points
 */
export const text = (max: number, min = 0) =>
  z
    .string()
    .min(min)
    .refine((value) => isAtMost(value, max), `Too big: expected string to have <=${max} characters`)
    .refine((value) => !value.includes('\u0000'), 'U+0000 is not allowed')
    .refine((value) => value.isWellFormed(), 'not well-formed Unicode (a lone surrogate)')
    .meta({ maxLength: max, pattern: WITHOUT_NUL });

const isAtMost = (value: string, max: number): boolean =>
  value.length <= max || (value.length <= 2 * max && [...value].length <= max);

/** The pattern of any text that can be stored. */
export const WITHOUT_NUL = String.raw`^[^\u0000]*$`;

/**
 * Text that others wrote and that must be kept whatever it holds: what cannot be stored is replaced by U+FFFD, what is too long is
 * cut, never in the middle of a character. @param max UTF-16 units
 */
export const foreignText = (value: string, max: number): string =>
  value
    .slice(0, max + 1)
    .toWellFormed()
    .replaceAll('\u0000', '\uFFFD')
    .slice(0, max)
    .replace(/[\uD800-\uDBFF]$/, '');

/** A short name such as a label or a capability. */
export const word = text(100, 1);

/** The source of a pattern of a lower-case UUID as streams take it: a version and a variant of RFC 9562. */
export const UUID_PATTERN = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}';

/** A UUID; upper case names the same. */
export const uuid = z.uuid().toLowerCase();
