import { z } from 'zod';
import { artefact } from '@workledger/shared/contexts/values.ts';

/** The same JSON, with a link beside every artefact that it names. */
export function withLinks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withLinks);
  if (typeof value !== 'object' || value === null) return value;
  const parsed = artefact.safeParse(value);
  if (parsed.success) return { ...parsed.data, href: `/api/v1/artefacts/${parsed.data.digest}` };
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, withLinks(inner)]));
}

const linkedArtefact = artefact.extend({ href: z.string().describe('where its bytes are') });

/** The schema of what `withLinks` makes of a value of this schema. */
export function withLinksSchema<Schema extends z.ZodType>(schema: Schema): Schema;
export function withLinksSchema(schema: z.ZodType): z.ZodType {
  if (schema === artefact) return linkedArtefact;
  const linked = withLinksInside(schema);
  const { description } = schema;
  return description === undefined ? linked : linked.describe(description);
}

function withLinksInside(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodNullable) return withLinksSchema(schema.unwrap() as z.ZodType).nullable();
  if (schema instanceof z.ZodArray) return z.array(withLinksSchema(schema.element as z.ZodType));
  if (schema instanceof z.ZodRecord)
    return z.record(schema.keyType as z.ZodString, withLinksSchema(schema.valueType as z.ZodType));
  if (schema instanceof z.ZodObject) {
    const fields = Object.entries<z.ZodType>(schema.shape);
    return z.strictObject(Object.fromEntries(fields.map(([name, field]) => [name, withLinksSchema(field)])));
  }
  return schema;
}
