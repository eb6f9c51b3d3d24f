import { refuse } from '@workledger/shared/commands/refusal.ts';
import type { z } from 'zod';

/** Data of a command, defaults filled in. @throws CommandRefused `invalid-command` that names every wrong field */
export function parseData<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: pathOf([...issue.path, key]), message: 'unknown field' }))
      : [{ path: pathOf(issue.path), message: issue.message }],
  );
  return refuse('invalid-command', errors.map(({ path, message }) => `${path}: ${message}`).join('; '), { errors });
}

const pathOf = (path: readonly PropertyKey[]): string => path.map(String).join('.');
