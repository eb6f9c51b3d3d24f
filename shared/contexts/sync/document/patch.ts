import { DEEPEST, isObject, isSame, memberOf, type Json, type JsonObject } from './json.ts';

/** What a change is written down as: sets and removes members of objects, so that it can be read without any library. */
export type Change =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** One operation of a JSON Patch (RFC 6902). */
export type Operation =
  | Change
  | { readonly op: 'test'; readonly path: string; readonly value: Json }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string };

/** A patch that cannot be carried out on what it is meant for. */
export class PatchFailed extends Error {
  override name = 'PatchFailed';
}
const fail = (message: string): never => {
  throw new PatchFailed(message);
};

/** A JSON Pointer (RFC 6901) of these keys. */
export const pointerOf = (keys: readonly string[]): string =>
  keys.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

const keysOf = (pointer: string): readonly string[] =>
  pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));

/** Whether one pointer is the other's, or leads to it. */
export const overlaps = (one: string, other: string): boolean =>
  one === other || one.startsWith(`${other}/`) || other.startsWith(`${one}/`);

/** What a pointer names; undefined: nothing. Only what is a value's own is found. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  let found: Json | undefined = value;
  for (const key of keysOf(pointer)) {
    if (Array.isArray(found))
      found = /^(?:0|[1-9]\d*)$/.test(key) ? (found as readonly Json[])[Number(key)] : undefined;
    else found = isObject(found) ? memberOf(found, key) : undefined;
    if (found === undefined) return undefined;
  }
  return found;
}

/**
 * The value after a patch; the given one is left as it is. Looks at nothing but own members, and makes new objects by definition, so that
 * no path reaches what objects inherit.
 * @throws PatchFailed
 */
export function applyPatch(value: Json, patch: readonly Operation[]): Json {
  return patch.reduce(apply, value);
}

function apply(value: Json, operation: Operation): Json {
  const { op, path } = operation;
  switch (op) {
    case 'add':
      return put(value, keysOf(path), operation.value, true);
    case 'replace':
      return put(value, keysOf(path), operation.value, false);
    case 'remove':
      return path === '' ? fail('the whole cannot be removed') : take(value, keysOf(path));
    case 'test':
      return isSame(valueAt(value, path), operation.value) ? value : fail(`${path} is not what the test says`);
    case 'copy':
      return put(value, keysOf(path), copied(value, operation.from), true);
    case 'move': {
      const moved = copied(value, operation.from);
      if (path === operation.from) return value;
      if (path.startsWith(`${operation.from}/`)) return fail(`${operation.from} cannot be moved into itself`);
      return put(take(value, keysOf(operation.from)), keysOf(path), moved, true);
    }
  }
}

const missing = (pointer: string): never => fail(`there is nothing at ${pointer}`);

/** Units that may be copied at once: what copies itself grows beyond all bounds in a few operations. */
const MOST_COPIED = 128 * 1024;

function copied(value: Json, from: string): Json {
  const found = valueAt(value, from) ?? missing(from);
  let units = 0;
  const measure = (part: Json, level: number): void => {
    units += typeof part === 'string' ? part.length + 1 : 1;
    if (level > DEEPEST || units > MOST_COPIED) fail(`what is at ${from} is too large to be copied`);
    if (Array.isArray(part)) for (const item of part as readonly Json[]) measure(item, level + 1);
    else if (isObject(part))
      for (const [key, inner] of Object.entries(part)) {
        units += key.length;
        measure(inner, level + 1);
      }
  };
  measure(found, 0);
  return found;
}

const within = (object: JsonObject, key: string, value: Json): JsonObject =>
  Object.fromEntries([...Object.entries(object).filter(([own]) => own !== key), [key, value]]);

function put(value: Json, [key, ...rest]: readonly string[], to: Json, isAdded: boolean): Json {
  if (key === undefined) return to;
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const isLast = rest.length === 0;
    if (isLast && isAdded && key === '-') return [...items, to];
    const at = indexOf(key, isLast && isAdded ? items.length : items.length - 1);
    if (isLast) return items.toSpliced(at, isAdded ? 0 : 1, to);
    return items.with(at, put(items[at] as Json, rest, to, isAdded));
  }
  if (!isObject(value)) return fail(`there is no place for ${pointerOf([key])}`);
  const inner = memberOf(value, key);
  if (rest.length === 0) return inner === undefined && !isAdded ? missing(pointerOf([key])) : within(value, key, to);
  return within(value, key, put(inner ?? missing(pointerOf([key])), rest, to, isAdded));
}

function take(value: Json, [key, ...rest]: readonly string[]): Json {
  if (key === undefined) return fail('the whole cannot be removed');
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    const at = indexOf(key, items.length - 1);
    return rest.length === 0 ? items.toSpliced(at, 1) : items.with(at, take(items[at] as Json, rest));
  }
  const inner = isObject(value) ? memberOf(value, key) : undefined;
  if (!isObject(value) || inner === undefined) return missing(pointerOf([key]));
  if (rest.length > 0) return within(value, key, take(inner, rest));
  return Object.fromEntries(Object.entries(value).filter(([own]) => own !== key));
}

function indexOf(key: string, last: number): number {
  const index = /^(?:0|[1-9]\d{0,8})$/.test(key) ? Number(key) : fail(`${key} is no place in a list`);
  return index <= last ? index : fail(`the list ends before ${index}`);
}

/** What makes one value of another, member by member: lists and texts are put whole. */
export function difference(from: Json, to: Json, keys: readonly string[] = []): Change[] {
  if (isSame(from, to)) return [];
  if (!isObject(from) || !isObject(to)) return [{ op: 'replace', path: pointerOf(keys), value: to }];
  return [...new Set([...Object.keys(from), ...Object.keys(to)])].flatMap((key): Change[] => {
    const [was, is] = [memberOf(from, key), memberOf(to, key)];
    const path = pointerOf([...keys, key]);
    if (is === undefined) return [{ op: 'remove', path }];
    return was === undefined ? [{ op: 'add', path, value: is }] : difference(was, is, [...keys, key]);
  });
}

/** A JSON Merge Patch (RFC 7396): null removes. */
export function applyMerge(value: Json | undefined, merge: Json): Json {
  if (!isObject(merge)) return merge;
  const into = new Map(Object.entries(isObject(value) ? value : {}));
  for (const [key, change] of Object.entries(merge))
    if (change === null) into.delete(key);
    else into.set(key, applyMerge(into.get(key), change));
  return Object.fromEntries(into);
}
