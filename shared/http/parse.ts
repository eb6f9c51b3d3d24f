import { z } from 'zod';
import { findExcess } from './bounds.ts';
import { Problem, type FieldError } from './problem.ts';

const MAX_ERRORS = 50;
const MAX_MESSAGE = 300;

/** Parses a part of a request. @throws Problem `invalid-request` with one error a field, its path starting with `part` */
export function parsePart<Schema extends z.ZodType>(schema: Schema, value: unknown, part: string): z.infer<Schema> {
  const excess = findExcess(schema, value, part);
  if (excess !== null) throw unfit(part, [excess]);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw unfit(part, fieldErrors(parsed.error, part));
}

const unfit = (part: string, errors: readonly FieldError[]): Problem =>
  new Problem('invalid-request', `${part} does not fit its schema`, { errors });

/** The faults of a parse as field errors. */
const fieldErrors = (error: z.ZodError, part: string): FieldError[] =>
  error.issues.slice(0, MAX_ERRORS).map((issue) => ({
    path: [part, ...issue.path].map(String).join('.'),
    message: issue.message.slice(0, MAX_MESSAGE),
  }));

/** Only the headers that a schema names. */
export function pickHeaders(schema: z.ZodType | undefined, headers: Readonly<Record<string, unknown>>): unknown {
  if (!(schema instanceof z.ZodObject)) return undefined;
  return Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])),
  );
}
