import { posix } from 'node:path';

/** Finds the files that an import means, of those there are; a package from elsewhere is none. */
export type FindImported = (from: string, specifier: string) => readonly number[];

/** So many files of a folder stand for it as a package. */
const MOST_OF_FOLDER = 20;
/** Of more files that it might mean, none is meant. */
const MOST_MEANT = 20;
/** A file that stands for its folder. */
const OF_FOLDER = /\/(?:index|__init__|mod|lib)$/;

const withoutExtension = (path: string): string => path.replace(/\.[A-Za-z]+$/, '');

/**
 * By what the ends of paths have in common with what is written: `../a/b.js`, `a.b.C`, `crate::a::b`, `example.org/a/b` and `@house/a/b.ts`
 * are all told without the settings of a compiler.
 */
export function createFindImported(paths: readonly string[]): FindImported {
  const whole = new Map<string, number[]>();
  const byName = new Map<string, { place: number; stem: string }[]>();
  const folders = new Map<string, number[]>();
  const byFolderName = new Map<string, string[]>();
  for (const [place, path] of paths.entries()) {
    const stem = withoutExtension(path);
    for (const one of new Set([stem, stem.replace(OF_FOLDER, '')])) {
      add(whole, one, place);
      add(byName, posix.basename(one), { place, stem: `/${one}` });
    }
    const folder = posix.dirname(path);
    if (!folders.has(folder)) add(byFolderName, posix.basename(folder), folder);
    add(folders, folder, place);
  }

  const near = (folder: string, relative: string): readonly number[] => {
    const joined = posix.join(folder, relative);
    return whole.get(withoutExtension(joined)) ?? whole.get(joined) ?? [];
  };
  /** Files whose path ends so; of several equal ones none is meant more than another. */
  const endingIn = (segments: readonly string[]): readonly number[] => {
    const end = `/${segments.join('/')}`;
    const found = byName.get(segments.at(-1) ?? '') ?? [];
    return found.filter(({ stem }) => stem.endsWith(end)).map(({ place }) => place);
  };
  const folderEndingIn = (segments: readonly string[]): readonly number[] => {
    const end = `/${segments.join('/')}`;
    const found = (byFolderName.get(segments.at(-1) ?? '') ?? []).filter((folder) => `/${folder}`.endsWith(end));
    return found.flatMap((folder) => (folders.get(folder) ?? []).slice(0, MOST_OF_FOLDER));
  };

  /** By the longest end of it that there is; the last part may be a name in the file that is meant. */
  const elsewhere = (specifier: string): readonly number[] => {
    const isPath = specifier.includes('/');
    const segments = (isPath ? withoutExtension(specifier).split('/') : specifier.split(/[.:\\{},\s]+/)).filter(
      Boolean,
    );
    for (const end of [segments, segments.slice(0, -1)])
      for (let first = 0; first + 2 <= end.length; first++) {
        const found = endingIn(end.slice(first));
        const meant = found.length > 0 ? found : folderEndingIn(end.slice(first));
        if (meant.length > 0) return meant.length > MOST_MEANT ? [] : meant;
      }
    return [];
  };
  const known = new Map<string, readonly number[]>();

  return (from, specifier) => {
    const folder = posix.dirname(from);
    if (/^\.{1,2}(\/|$)/.test(specifier)) return near(folder, specifier);
    const dots = /^\.+/.exec(specifier)?.[0].length ?? 0;
    if (dots > 0) return near(folder, `${'../'.repeat(dots - 1)}${specifier.slice(dots).replaceAll('.', '/')}`);
    const beside = near(folder, specifier);
    if (beside.length > 0) return beside;
    const found = known.get(specifier) ?? elsewhere(specifier);
    known.set(specifier, found);
    return found;
  };
}

function add<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [value]);
  else found.push(value);
}
