import { sections, type Change, type Content, type Part, type Section } from '../contexts/sync/configuration/events.ts';

/** How many names lead from a section to one of its values: what is set is a whole value, such as all of a repository's `evolve`. */
const DEPTH: Readonly<Record<Part, number>> = {
  repositories: 2,
  agents: 2,
  rules: 2,
  flags: 2,
  limits: 1,
  overlays: 3,
  installed: 1,
};

/** The values of a content, by JSON pointer. */
type Values = ReadonlyMap<string, unknown>;

export type Fault = { readonly path: string; readonly message: string };

export const pointerTo = (...parts: readonly string[]): string =>
  parts.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

export const partsOf = (pointer: string): readonly string[] =>
  pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));

export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isSection = (name: string): name is Section => sections.some((section) => section === name);

const isWithin = (pointer: string, outer: string): boolean => pointer === outer || pointer.startsWith(`${outer}/`);

const descend = (value: unknown, parts: readonly string[], depth: number): [string, unknown][] =>
  depth > 0 && isObject(value)
    ? Object.entries(value).flatMap(([name, inner]) => descend(inner, [...parts, name], depth - 1))
    : [[pointerTo(...parts), value]];

export const valuesOf = (content: Content): Values =>
  new Map(Object.entries(content).flatMap(([section, named]) => descend(named, [section], DEPTH[section as Part])));

/** Under whatever name, `__proto__` too: it is to be seen, and refused. */
const put = (at: object, name: string, value: unknown): unknown =>
  Object.defineProperty(at, name, { value, enumerable: true, writable: true, configurable: true });

function contentOf(values: Values): Content {
  const content: Record<string, Record<string, unknown>> = {};
  for (const [pointer, value] of [...values].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    let at: Record<string, unknown> = content;
    const parts = partsOf(pointer);
    for (const part of parts.slice(0, -1)) {
      const inner = Object.hasOwn(at, part) ? at[part] : {};
      put(at, part, inner);
      at = inner as Record<string, unknown>;
    }
    put(at, parts.at(-1) ?? '', value);
  }
  return content;
}

/** What a change cannot name: no section, or a part of what is set as a whole. */
export const changeFaults = (changes: readonly Change[]): Fault[] =>
  changes.flatMap(({ path: pointer }, index) => {
    const [section = '', ...names] = partsOf(pointer);
    const path = `changes.${index}.path`;
    if (!isSection(section)) return [{ path, message: `there is no section ${section}` }];
    const most = DEPTH[section];
    return names.length > most
      ? [{ path, message: `set ${pointerTo(section, ...names.slice(0, most))} as a whole` }]
      : [];
  });

/** Where something stands in the place of names. `null` in the place of a named thing is none: it takes the file's out. */
export const shapeFaults = (content: Content): Fault[] =>
  [...valuesOf(content)].flatMap(([path, value]) => {
    const [section, ...names] = partsOf(path);
    const isTakenOut = value === null && names.length === 1 && section !== 'limits' && section !== 'overlays';
    const isWhole = names.length === DEPTH[section as Part];
    if (names.includes('__proto__')) return [{ path, message: 'use another name' }];
    if (section !== 'overlays' && names[1] === 'name') return [{ path, message: 'the name stands in the path' }];
    return isWhole || isTakenOut ? [] : [{ path, message: 'an object is wanted here' }];
  });

/** The content after these changes, one after the other. */
export function withChanges(content: Content, changes: readonly Change[]): Content {
  const values = new Map(valuesOf(content));
  for (const change of changes) {
    for (const known of values.keys())
      if (isWithin(known, change.path) || ('value' in change && isWithin(change.path, known))) values.delete(known);
    if (!('value' in change)) continue;
    const parts = partsOf(change.path);
    const depth = 1 + DEPTH[parts[0] as Part] - parts.length;
    for (const [pointer, value] of descend(change.value, parts, depth)) values.set(pointer, value);
  }
  return contentOf(values);
}

/** The same content in the one order that it is kept in, without names under which nothing is set. */
export const ordered = (content: Content): Content => contentOf(valuesOf(content));

/** What leads from one content to another, value by value. */
export function changesBetween(before: Content, after: Content): Change[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const set = [...now].filter(([path, value]) => !old.has(path) || !isSame(old.get(path), value));
  const gone = [...old.keys()].filter((path) => !now.has(path));
  return [...set.map(([path, value]) => ({ path, value })), ...gone.map((path) => ({ path }))].toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  );
}

const isSame = (one: unknown, other: unknown): boolean => sorted(one) === sorted(other);

const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) =>
    isObject(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner,
  );

/**
 * What an operator may change of a repository and of an agent: how much, and whom it is told. Whatever chooses what is run, with what
 * rights, or who must agree is an administrator's, as is a field that nobody listed.
 */
const OPERATORS: Partial<Record<Section, ReadonlySet<string>>> = {
  repositories: new Set(['budgets', 'context', 'documents', 'litter', 'setupCache', 'tell']),
  agents: new Set(['capacity']),
};

/** Those of these changes that only an administrator may make. */
export const administrators = (changes: readonly Change[]): readonly string[] =>
  changes.flatMap(({ path }) => {
    const [section = '', , field] = partsOf(path);
    const allowed = isSection(section) ? OPERATORS[section] : undefined;
    return allowed === undefined || (field !== undefined && allowed.has(field)) ? [] : [path];
  });
