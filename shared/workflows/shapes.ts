import { z } from 'zod';

/** What a value may be, as far as it is known: JSON Schema, of which types, fields and elements are read. */
export type Shape = Readonly<Record<string, unknown>>;

export const ANYTHING: Shape = {};
/** @param fields what it has, and nothing beside; left out: whatever */
export const objectOf = (fields?: Readonly<Record<string, Shape>>): Shape =>
  fields === undefined ? { type: 'object' } : { type: 'object', properties: fields, additionalProperties: false };
export const either = (shapes: readonly Shape[]): Shape => (shapes.length === 1 ? shapes[0]! : { anyOf: shapes });

const known = new WeakMap<z.ZodType, Shape>();

/** What a schema takes. */
export function shapeOf(schema: z.ZodType): Shape {
  const before = known.get(schema);
  if (before !== undefined) return before;
  const shape = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Shape;
  known.set(schema, shape);
  return shape;
}

const alternatives = ({ anyOf, oneOf }: Shape): readonly Shape[] | null =>
  (anyOf as readonly Shape[] | undefined) ?? (oneOf as readonly Shape[] | undefined) ?? null;

/** What may stand at a path; null: nothing can. What is marked as personal is not copied, so that it never stands anywhere. */
export function shapeAt(shape: Shape, path: readonly string[]): Shape | null {
  const [name, ...rest] = path;
  if (name === undefined) return shape;
  const options = alternatives(shape);
  if (options !== null) {
    const found = options.map((option) => shapeAt(option, path)).filter((option) => option !== null);
    return found.length === 0 ? null : either(found);
  }
  const below = shapeBelow(shape, name);
  return below === null ? null : shapeAt(below, rest);
}

function shapeBelow({ type, properties, additionalProperties, items, prefixItems }: Shape, name: string): Shape | null {
  if (type === 'object') {
    const fields = (properties ?? {}) as Readonly<Record<string, Shape>>;
    const field = Object.hasOwn(fields, name) ? fields[name] : additionalProperties;
    if (field === false) return null;
    if (typeof field !== 'object' || field === null) return ANYTHING;
    return isPersonal(field as Shape) ? null : (field as Shape);
  }
  if (type === 'array') {
    if (!/^\d+$/.test(name)) return null;
    if (prefixItems !== undefined || items === undefined) return ANYTHING;
    return items as Shape;
  }
  return typeof type === 'string' ? null : ANYTHING;
}

const isPersonal = (shape: Shape): boolean =>
  shape['personal'] !== undefined || alternatives(shape)?.some(isPersonal) === true;

/** The fields that it has; null: nobody knows. */
export function fieldsOf({ type, properties, additionalProperties }: Shape): readonly string[] | null {
  return type === 'object' && additionalProperties === false ? Object.keys(properties ?? {}) : null;
}

/** The JSON types that it may be of; null: any. */
function typesOfShape(shape: Shape): ReadonlySet<string> | null {
  const options = alternatives(shape);
  if (options !== null) {
    const all = options.map(typesOfShape);
    return all.includes(null) ? null : new Set(all.flatMap((types) => [...(types ?? [])]));
  }
  const { type, const: only } = shape;
  if (typeof type === 'string') return new Set([type]);
  if (Array.isArray(type)) return new Set(type as string[]);
  return only === undefined ? null : typesOfShape(shapeOfValue(only));
}

/** Of a literal. */
export function shapeOfValue(value: unknown): Shape {
  if (value === null) return { type: 'null' };
  if (Array.isArray(value)) return { type: 'array' };
  return { type: Number.isSafeInteger(value) ? 'integer' : typeof value };
}

/** Why what is given can never be what is wanted, in words; null: it may be. */
export function whyNot(given: Shape, wanted: Shape): string | null {
  const [all, allowed] = [typesOfShape(given), typesOfShape(wanted)];
  if (all === null || allowed === null) return null;
  const isNumber = (type: string): boolean => type === 'integer' || type === 'number';
  if ([...all].some((type) => allowed.has(type) || (isNumber(type) && [...allowed].some(isNumber)))) return null;
  return `it is ${[...all].join(' or ')}, where ${[...allowed].join(' or ')} is needed`;
}
