import { z } from 'zod';
import type { FieldError } from './problem.ts';

/** Deeper than anything that a schema here describes. */
const MAX_DEPTH = 32;
/** Of a list for which the schema names no bound. */
const MAX_ITEMS = 1_000;
const MAX_KEYS = 1_000;
/** Of a whole part of a request: lists of lists stay payable. */
const MAX_VALUES = 100_000;

/**
 * Where a value is larger than its schema allows, found by counting alone: zod parses every item of a list before it looks at the
 * list's length, and tells of every one that is wrong. Null: it may be parsed.
 * @param part the first word of the error's path
 */
export function findExcess(schema: z.core.$ZodType, value: unknown, part: string): FieldError | null {
  let left = MAX_VALUES;

  const look = (within: readonly z.core.$ZodType[], inner: unknown, path: string, depth: number): FieldError | null => {
    if (typeof inner !== 'object' || inner === null) return null;
    if (depth > MAX_DEPTH) return { path, message: `Too deep: nested more than ${MAX_DEPTH} times` };
    const options = within.flatMap(unwrap);
    if (Array.isArray(inner)) {
      const most = longestList(options);
      if (inner.length > most) return { path, message: `Too big: expected array to have <=${most} items` };
    }
    const keys = Object.keys(inner);
    if (!Array.isArray(inner) && keys.length > MAX_KEYS)
      return { path, message: `Too big: expected object to have <=${MAX_KEYS} keys` };
    left -= keys.length;
    if (left < 0) return { path: part, message: `Too big: more than ${MAX_VALUES} values in all` };
    for (const key of keys) {
      const child: unknown = (inner as Record<string, unknown>)[key];
      const found = look(
        options.flatMap((option) => childrenOf(option, key)),
        child,
        `${path}.${key}`,
        depth + 1,
      );
      if (found !== null) return found;
    }
    return null;
  };

  return look([schema], value, part, 0);
}

/** The schemas that a value may have to fit, without what is around them. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if ('innerType' in def) return unwrap(def.innerType);
  if (def.type === 'pipe') return unwrap(def.in);
  if (def.type === 'union') return def.options.flatMap(unwrap);
  if (def.type === 'lazy') return unwrap(def.getter());
  return [schema];
}

function longestList(options: readonly z.core.$ZodType[]): number {
  const lists = options.filter((option) => option instanceof z.core.$ZodArray);
  return lists.length === 0 ? MAX_ITEMS : Math.max(...lists.map(boundOf));
}

function boundOf({ _zod }: z.core.$ZodArray): number {
  const bounds = (_zod.def.checks ?? []).map(
    (check) => (check._zod.def as Partial<z.core.$ZodCheckMaxLengthDef>).maximum,
  );
  return Math.min(...bounds.filter((bound) => typeof bound === 'number'), MAX_ITEMS);
}

function childrenOf(schema: z.core.$ZodType, key: string): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'array') return [def.element];
  if (def.type === 'record') return [def.valueType];
  const field = def.type === 'object' && Object.hasOwn(def.shape, key) ? def.shape[key] : undefined;
  return field === undefined ? [] : [field];
}
