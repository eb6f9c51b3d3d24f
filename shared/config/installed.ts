import { z } from 'zod';
import { installedOf, type Content, type Installed } from '../contexts/sync/configuration/events.ts';
import { isObject } from './content.ts';

/** Whose repositories are taken: of one who is not named nothing is, for anybody may install a public app. */
export const ownersSchema = z
  .array(
    z
      .string()
      .regex(
        /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(\*|[A-Za-z0-9._-]{1,100})$/,
        'owner/* or owner/name: an owner is always named',
      ),
  )
  .min(1)
  .max(100)
  .describe('owner/* or owner/name: of others who installed the app nothing is taken');

/** @param of as `installed.of` has it @param name `owner/name`; case does not matter, as for GitHub */
export function covers(of: readonly string[], name: string): boolean {
  const wanted = name.toLowerCase();
  return of.some((each) => {
    const one = each.toLowerCase();
    return one.endsWith('/*') ? wanted.startsWith(one.slice(0, -1)) : one === wanted;
  });
}

type Named = Readonly<Record<string, unknown>>;

/**
 * The repositories of a file with those that the app is installed for, each as `installed.each` says, and what is to be laid over them by
 * name. Whoever is in the file, or set whole by the API, is left as it is; values for one that is not installed wait.
 * @param file as it is written
 */
export function withInstalled(
  file: Named,
  content: Content,
): { readonly list: unknown; readonly named: Named | undefined } {
  const { repositories: list } = file;
  const taking = takingOf(file, content);
  if (taking === null) return { list, named: content.repositories };
  const { each, set, waits } = taking;
  const installed = installedIn(taking, content);
  const named = Object.entries(set).flatMap(([name, value]): [string, unknown][] => {
    if (!waits(name)) return [[name, value]];
    if (!Object.hasOwn(installed, name)) return [];
    // What GitHub calls it is no value of anybody's.
    return [[name, isObject(value) ? { ...value, github: name } : value]];
  });
  const more = Object.entries(installed).map(([name, told]) => ({ ...each, ...told, name, github: name }));
  return { list: [...(Array.isArray(list) ? (list as unknown[]) : []), ...more], named: Object.fromEntries(named) };
}

/** Those that are registered because the app is installed there. @param file as it is written */
export function installedNames(file: Named, content: Content): ReadonlySet<string> {
  const taking = takingOf(file, content);
  return new Set(taking === null ? [] : Object.keys(installedIn(taking, content)));
}

/** The content as if all were installed that values wait for: these are judged when they are set, so that nobody's coming is refused for them. */
export function asIfInstalled(file: Named, content: Content): Content {
  const taking = takingOf(file, content);
  if (taking === null) return content;
  const known = new Set(Object.keys(installedOf(content)).map((name) => name.toLowerCase()));
  const waiting = Object.entries(taking.set).filter(
    ([name, value]) => taking.waits(name) && isObject(value) && !known.has(name.toLowerCase()),
  );
  const made = waiting.map(([name]) => [name, { url: `https://github.com/${name}.git`, baseBranch: 'main' }] as const);
  return { ...content, installed: { ...content.installed, ...Object.fromEntries(made) } };
}

type Taking = {
  readonly of: readonly string[];
  readonly each: Named;
  /** What the API sets of repositories. */
  readonly set: Named;
  /** What repositories of the file and of the API are called, here and at GitHub; in lower case. */
  readonly taken: ReadonlySet<string>;
  /** Whether values under this name are for one that is installed, once it is. */
  waits(name: string): boolean;
};

/** Null: nothing is taken. */
function takingOf({ installed, repositories }: Named, { repositories: set = {} }: Content): Taking | null {
  if (!isObject(installed) || !Array.isArray(installed['of']) || !isObject(installed['each'])) return null;
  const of = installed['of'].filter((each) => typeof each === 'string');
  const listed = (Array.isArray(repositories) ? repositories : []).filter(isObject);
  const names = new Set(listed.map(({ name }) => name));
  const waits = (name: string): boolean => covers(of, name) && !names.has(name) && !isWhole(set[name]);
  const ofApi = Object.entries(set).flatMap(([name, value]) =>
    isObject(value) && !waits(name) ? [{ ...value, name }] : [],
  );
  const called = [...listed, ...ofApi].flatMap(({ name, github }: Named) => [name, github]);
  const taken = new Set(called.flatMap((name) => (typeof name === 'string' ? [name.toLowerCase()] : [])));
  return { of, each: installed['each'], set, taken, waits };
}

/** It needs nothing that GitHub tells. */
const isWhole = (value: unknown): boolean => isObject(value) && 'url' in value && 'test' in value;

const installedIn = ({ of, taken }: Taking, content: Content): Installed =>
  Object.fromEntries(
    Object.entries(installedOf(content)).filter(([name]) => covers(of, name) && !taken.has(name.toLowerCase())),
  );
