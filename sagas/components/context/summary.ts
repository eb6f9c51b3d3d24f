import type { CodeIndex } from './code-index.ts';
import { languageName } from './languages.ts';

const MOST_LANGUAGES = 6;
const MOST_FOLDERS = 24;
const MOST_ENTRIES = 8;

/** What a program or a person begins with. */
const ENTRY =
  /(^|\/)(?:package\.json|pyproject\.toml|setup\.py|go\.mod|Cargo\.toml|pom\.xml|build\.gradle(?:\.kts)?|Gemfile|composer\.json|Makefile|CMakeLists\.txt|Dockerfile|main\.\w+|index\.(?:ts|js|php)|app\.\w+|__main__\.py|manage\.py|README\.\w+|CONTRIBUTING\.\w+)$/;
const DEEPEST_ENTRY = 3;

/** A code base in a few lines, the most telling first: its languages, its folders, and where it begins. */
export function summaryOf({ files }: CodeIndex): string[] {
  const languages = tally(files.map(({ path }) => languageName(path)).filter((name) => name !== null));
  const told = languages.slice(0, MOST_LANGUAGES).map(([name, count]) => `${name} ${count}`);
  const folders = foldersOf(files.map(({ path }) => path));
  const entries = files
    .map(({ path }) => path)
    .filter((path) => ENTRY.test(path) && path.split('/').length <= DEEPEST_ENTRY)
    .sort((one, other) => one.split('/').length - other.split('/').length || one.localeCompare(other));
  return [
    `${files.length} files${told.length === 0 ? '' : `: ${told.join(', ')}`}.`,
    ...(entries.length === 0 ? [] : [`It begins in: ${entries.slice(0, MOST_ENTRIES).join(', ')}.`]),
    ...(folders.length === 0 ? [] : ['Its folders, with how many files:', ...folders]),
  ];
}

const tally = (names: readonly string[]): [string, number][] => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1] || one[0].localeCompare(other[0]));
};

/** The largest folders of the first level, each with its largest ones. */
function foldersOf(paths: readonly string[]): string[] {
  const parts = paths.map((path) => path.split('/').slice(0, -1)).filter((folder) => folder.length > 0);
  const first = tally(parts.map(([name = '']) => name)).slice(0, MOST_FOLDERS / 2);
  return first.map(([name, count]) => {
    const below = tally(parts.filter((folder) => folder[0] === name).flatMap(([, second]) => second ?? []));
    const named = below.slice(0, 5).map(([second, within]) => `${second} ${within}`);
    return `- ${name}/ ${count}${named.length === 0 ? '' : ` (${named.join(', ')}${below.length > 5 ? ', …' : ''})`}`;
  });
}
