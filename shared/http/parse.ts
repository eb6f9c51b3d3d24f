import { z } from 'zod';
import { Problem, type FieldError } from './problem.ts';

const MAX_ERRORS = 50;
const MAX_MESSAGE = 300;

/** Parses a part of a request. @throws Problem `invalid-request` with one error a field, its path starting with `part` */
export function parsePart<Schema extends z.ZodType>(schema: Schema, value: unknown, part: string): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new Problem('invalid-request', `${part} does not fit its schema`, { errors: fieldErrors(parsed.error, part) });
}

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
