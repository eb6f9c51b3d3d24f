import { z } from 'zod';

/** Text of a query: short, and without U+0000, which PostgreSQL refuses. */
export const short = z
  .string()
  .min(1)
  .max(300)
  .refine((text) => !text.includes('\u0000'), 'U+0000 is not allowed')
  .refine((text) => text.isWellFormed(), 'not well-formed Unicode (a lone surrogate)');

/** A parameter that may come several times, or as a list with commas. */
export const several = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z
    .union([z.string(), z.array(z.string()).max(50)])
    .transform((given) => (typeof given === 'string' ? [given] : given).flatMap((part) => part.split(',')))
    .pipe(z.array(item).min(1).max(50));

/** A whole number of items. @param most the largest allowed @param normal when left out */
export const atMost = (most: number, normal: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(normal)
    .describe(`at most so many, 1 to ${most}; default ${normal}`);

export const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

/** An id, in any case. */
export const anyId = z.uuid().toLowerCase();

export const byId = z.strictObject({ id: anyId });
