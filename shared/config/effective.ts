import { maskText, isSecretName } from '../telemetry/mask.ts';
import type { Content } from '../contexts/sync/configuration/events.ts';
import { ConfigurationError, crossCheck, describeFaults } from './faults.ts';
import { isObject, partsOf, pointerTo, shapeFaults, valuesOf, type Fault } from './content.ts';
import { asIfInstalled, withInstalled } from './installed.ts';
import { componentNames, limitNames, unread, type ComponentName } from './overlays.ts';
import { configurationSchema, type Configuration } from './schema.ts';

/** A configuration as it is written: JSON, before defaults. */
export type Written = Readonly<Record<string, unknown>>;

type Named = Readonly<Record<string, unknown>>;

/** Entries of a list by their names: fields over fields, `null` takes one out, what the list has not comes after, by its name. */
function overNames(list: unknown, named: Named | undefined): unknown {
  if (named === undefined) return list;
  const known: readonly unknown[] = Array.isArray(list) ? list : [];
  const nameOf = (entry: unknown): string =>
    isObject(entry) && typeof entry['name'] === 'string' ? entry['name'] : '';
  const changed = known.flatMap((entry) => {
    const name = nameOf(entry);
    if (!Object.hasOwn(named, name)) return [entry];
    const over = named[name];
    return isObject(over) ? [{ ...(entry as object), ...over, name }] : [];
  });
  const more = Object.keys(named).filter(
    (name) => isObject(named[name]) && !known.some((entry) => nameOf(entry) === name),
  );
  return [...changed, ...more.toSorted().map((name) => ({ ...(named[name] as object), name }))];
}

const LISTS = ['repositories', 'agents', 'rules', 'flags'] as const;

const DEFAULTS = configurationSchema.parse({});

/** What is written in the file, with what is installed and what it says of one component; over that what the API has set, for all and then for the component. */
function overlaid(file: Written, content: Content, component?: ComponentName): Written {
  const inFile = isObject(file['overlays']) && component !== undefined ? file['overlays'][component] : undefined;
  const below = withOwn(file, inFile);
  const lists = LISTS.flatMap((name) => {
    const own = { list: below[name], named: content[name] };
    const { list, named } = name === 'repositories' ? withInstalled(file, content) : own;
    return named === undefined ? [] : [[name, overNames(list ?? DEFAULTS[name], named)] as const];
  });
  const all: Written = { ...below, ...limitsIn(content.limits), ...Object.fromEntries(lists) };
  return component === undefined ? all : withOwn(all, content.overlays?.[component]);
}

/** @param own limits and flags, these by their names or (in a file) as a list */
function withOwn(written: Written, own: unknown): Written {
  if (!isObject(own)) return written;
  const { limits, flags } = own;
  const named = Array.isArray(flags) ? byName(flags) : isObject(flags) ? flags : {};
  return { ...written, ...limitsIn(limits), flags: overNames(written['flags'] ?? [], named) };
}

/** A list's entries by the names that they have. */
export const byName = (list: unknown): Named =>
  Object.fromEntries(
    (Array.isArray(list) ? list : []).filter(isObject).map(({ name, ...fields }) => [String(name), fields]),
  );

/** What is set as a limit and is none is kept: the schema refuses it by its name. */
const limitsIn = (value: unknown): Named => {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, limit]) => [
      limitNames.some((one) => one === name) ? name : `limits.${name}`,
      limit,
    ]),
  );
};

/** The configuration as it is used. @throws ConfigurationError with one line a fault */
export function effective(file: Written, content: Content, component?: ComponentName): Configuration {
  const written = overlaid(file, content, component);
  const parsed = configurationSchema.safeParse(written);
  const faults = parsed.success ? crossCheck(parsed.data) : describeFaults(parsed.error, written);
  if (!parsed.success || faults.length > 0) throw new ConfigurationError('configuration', faults);
  return parsed.data;
}

/** Why this content cannot be used over this file: by JSON pointer; empty: it can. */
export function contentFaults(file: Written, given: Content): Fault[] {
  const shape = [...shapeFaults(given), ...literalSecrets(given), ...unknownOverlays(given)];
  if (shape.length > 0) return shape;
  const content = asIfInstalled(file, given);
  const ofFile = isObject(file['overlays']) ? file['overlays'] : {};
  const own = componentNames.filter((name) => name in ofFile || name in (content.overlays ?? {}));
  const components: readonly (ComponentName | undefined)[] = [undefined, ...own];
  const found = components.flatMap((component) => {
    try {
      effective(file, content, component);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      const written = overlaid(file, content, component);
      return error.faults.map((fault) => located(fault, written, component));
    }
  });
  return found.filter(
    (one, at) => found.findIndex(({ path, message }) => path === one.path && message === one.message) === at,
  );
}

/** What is wrong with the components' own values of a file. One line a fault. */
export const overlayFaults = (file: Written): string[] =>
  Object.entries(isObject(file['overlays']) ? file['overlays'] : {}).flatMap(([name, own]) => {
    const component = name as ComponentName;
    const faults = unreadOf(component, own).map(({ path, message }) => `${path.join('.')}: ${message}`);
    try {
      effective(file, {}, component);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      faults.push(...error.faults);
    }
    return faults.map((fault) => `overlays.${component}.${fault}`);
  });

const namesOf = (named: unknown): string[] => (isObject(named) ? Object.keys(named) : []);

const unreadOf = (component: ComponentName, own: unknown): ReturnType<typeof unread> => {
  const { limits, flags } = isObject(own) ? own : {};
  return unread(component, { limits: namesOf(limits), flags: namesOf(Array.isArray(flags) ? byName(flags) : flags) });
};

/** A secret stands where the configuration says, never in it: an event is kept for ever. */
const literalSecrets = ({ installed: _, ...content }: Content): Fault[] =>
  [...valuesOf(content)].flatMap(([path, value]) => {
    const message =
      'this looks like a secret: say where it stands, by {"env": …}, {"file": …} or the name of a variable';
    const isVariables = partsOf(path).at(-1) === 'variables' && isObject(value);
    const named = isVariables ? Object.keys(value).find(isSecretName) : undefined;
    if (named !== undefined) return [{ path: `${path}${pointerTo(named)}`, message }];
    const text = JSON.stringify(value) ?? '';
    return maskText(text) === text ? [] : [{ path, message }];
  });

const unknownOverlays = (content: Content): Fault[] =>
  Object.entries(content.overlays ?? {}).flatMap(([name, values]) => {
    const component = componentNames.find((one) => one === name);
    if (component === undefined)
      return [{ path: pointerTo('overlays', name), message: `use one of: ${componentNames.join(', ')}` }];
    const odd = namesOf(values).filter((one) => one !== 'limits' && one !== 'flags');
    return [
      ...odd.map((one) => ({ path: pointerTo('overlays', component, one), message: 'use limits or flags' })),
      ...unreadOf(component, values).map(({ path, message }) => ({
        ...{ path: pointerTo('overlays', component, ...path), message },
      })),
    ];
  });

/** A fault as `path: value → remedy`, by the pointer of what is set. */
function located(fault: string, written: Written, component: ComponentName | undefined): Fault {
  const [, place = '', message = fault] = /^([^\s:]+): (.*)$/s.exec(fault) ?? [];
  const [first = '', ...rest] = place.split(/[.[\]]+/).filter(Boolean);
  const overlay = component === undefined ? [] : ['overlays', component];
  if (limitNames.some((name) => name === first))
    return { path: pointerTo(...overlay, 'limits', first, ...rest), message };
  if (!LISTS.some((name) => name === first))
    return { path: pointerTo(...(place === '' ? [] : [first, ...rest])), message };
  const list = written[first];
  const entry: unknown = Array.isArray(list) ? list[Number(rest[0])] : undefined;
  const name = isObject(entry) ? String(entry['name']) : (rest[0] ?? '');
  return { path: pointerTo(...(first === 'flags' ? overlay : []), first, name, ...rest.slice(1)), message };
}
