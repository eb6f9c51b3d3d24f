export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands under a key of its own; undefined: nothing. What objects inherit is nothing. */
export const memberOf = (object: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

/**
 * The canonical form of RFC 8785: members in the order of their keys' UTF-16 units, no spaces, numbers as ECMAScript writes them. Other
 * languages have libraries for it, so that whoever holds a copy finds the same digest.
 */
export function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key] as Json)}`).join(',')}}`;
}

export const isSame = (one: Json | undefined, other: Json | undefined): boolean => {
  if (one === other) return true;
  if (one === undefined || other === undefined || typeof one !== typeof other) return false;
  return typeof one === 'object' && canonical(one) === canonical(other);
};

/** Levels of objects and arrays within one another. */
export const DEEPEST = 64;

/** Why a value from outside cannot be kept, though it is JSON; null: it can. */
export function faultOf(value: unknown, level = 0): string | null {
  if (level > DEEPEST) return `at most ${DEEPEST} levels of objects and arrays`;
  if (typeof value === 'number') return Number.isFinite(value) ? null : 'a number is too large';
  if (typeof value === 'string') return faultOfText(value);
  if (Array.isArray(value)) return firstFault(value, level);
  if (!isObject(value)) return null;
  const keys = Object.keys(value);
  // An own key in JSON, and what all objects inherit in programs that read it carelessly.
  if (keys.includes('__proto__')) return 'the key __proto__ is not taken';
  return keys.map(faultOfText).find((fault) => fault !== null) ?? firstFault(Object.values(value), level);
}

function firstFault(values: readonly unknown[], level: number): string | null {
  for (const value of values) {
    const fault = faultOf(value, level + 1);
    if (fault !== null) return fault;
  }
  return null;
}

const faultOfText = (text: string): string | null => {
  if (text.includes('\u0000')) return 'U+0000 is not allowed';
  return text.isWellFormed() ? null : 'not well-formed Unicode (a lone surrogate)';
};
