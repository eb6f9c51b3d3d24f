import { z } from 'zod';

/**
 * The data without the fields that its schema marks as personal: what may be copied into another stream, where nobody would
 * look for it when a person is to be forgotten.
 */
export function withoutPersonal(schema: z.ZodType, data: unknown): unknown {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodDiscriminatedUnion) {
    const option = inner.options.find(
      (candidate) => candidate instanceof z.ZodObject && candidate.safeParse(data).success,
    );
    return option === undefined ? data : withoutPersonal(option as z.ZodType, data);
  }
  if (!(inner instanceof z.ZodObject) || typeof data !== 'object' || data === null) return data;
  const shape = inner.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(data)
      .filter(([field]) => !isPersonal(shape[field]))
      .map(([field, value]) => [field, shape[field] === undefined ? value : withoutPersonal(shape[field], value)]),
  );
}

/** Whether a field's schema is marked with `personal`, also inside nullable and optional. */
const isPersonal = (schema: z.ZodType | undefined): boolean =>
  schema !== undefined && unwrap(schema).meta()?.['personal'] !== undefined;

function unwrap(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodNullable || schema instanceof z.ZodOptional
    ? unwrap(schema.unwrap() as z.ZodType)
    : schema;
}
