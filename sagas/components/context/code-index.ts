import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Dictionary, FileFacts } from './facts.ts';
import { createFindImported } from './imports.ts';
import type { TreeFile } from './repository.ts';
import { partsOf, wordsOf } from './words.ts';

/** A file of a commit with what is known of it. */
export type IndexedFile = TreeFile & {
  /** Null: its content was not read. */
  readonly facts: FileFacts | null;
  /** What its path says: the words of its name, then those of its folders. */
  readonly name: readonly string[];
  readonly folders: readonly string[];
};

/** Whom a file has to do with: it imports them or speaks of what they define, or they do so with it. */
export type Links = { readonly to: Int32Array; readonly weight: Float32Array };

/** In which files a word stands, and how often there. */
export type Postings = { of(word: number): { readonly places: Uint32Array; readonly counts: Uint16Array } };

/** All files of a commit, ready to be asked. */
export type CodeIndex = {
  readonly files: readonly IndexedFile[];
  readonly places: ReadonlyMap<string, number>;
  readonly dictionary: Dictionary;
  /** By the number of a name: the places of files that define it. */
  readonly definers: ReadonlyMap<number, readonly number[]>;
  readonly postings: Postings;
  /** By a word of paths: the places where it stands, and whether in the file's own name. */
  readonly pathWords: ReadonlyMap<string, readonly { readonly place: number; readonly inName: boolean }[]>;
  /** By place. */
  readonly links: readonly Links[];
  /** Words of a file of middling length. */
  readonly averageLength: number;
};

const TURN = 500;
/** A name that more files define says nothing of which is meant. */
const MOST_DEFINERS = 6;
const IMPORT = 1;
const REFERENCE = 0.4;

export async function createCodeIndex(
  tree: readonly TreeFile[],
  facts: ReadonlyMap<string, FileFacts>,
  dictionary: Dictionary,
): Promise<CodeIndex> {
  const files = tree.map((file): IndexedFile => {
    const cut = file.path.lastIndexOf('/') + 1;
    const known = facts.get(file.blob) ?? null;
    return { ...file, facts: known, name: nameWords(file.path.slice(cut)), folders: wordsOf(file.path.slice(0, cut)) };
  });
  const places = new Map(files.map(({ path }, place) => [path, place]));
  const definers = new Map<number, number[]>();
  for (const [place, { facts: known }] of files.entries())
    for (const { name } of known?.definitions ?? []) {
      const number = dictionary.numberOf(name);
      const found = definers.get(number);
      if (found === undefined) definers.set(number, [place]);
      else if (found.at(-1) !== place) found.push(place);
    }
  const links = await link(files, definers);
  const lengths = files.flatMap(({ facts: known }) => (known === null || known.length === 0 ? [] : [known.length]));
  const averageLength = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const [postings, pathWords] = [postingsOf(files), pathWordsOf(files)];
  return { files, places, dictionary, definers, postings, pathWords, links, averageLength };
}

/** One list of all, by word: where those of a word begin is counted first. */
function postingsOf(files: readonly IndexedFile[]): Postings {
  let most = -1;
  for (const { facts } of files) most = Math.max(most, facts?.words.at(-1) ?? -1);
  const ends = new Uint32Array(most + 2);
  for (const { facts } of files) for (const word of facts?.words ?? []) ends[word + 1] = (ends[word + 1] ?? 0) + 1;
  for (let word = 1; word < ends.length; word++) ends[word] = (ends[word] ?? 0) + (ends[word - 1] ?? 0);
  const all = ends.at(-1) ?? 0;
  const [places, counts, next] = [new Uint32Array(all), new Uint16Array(all), ends.slice()];
  for (const [place, { facts }] of files.entries()) {
    if (facts === null) continue;
    for (let at = 0; at < facts.words.length; at++) {
      const word = facts.words[at] ?? 0;
      const to = next[word] ?? 0;
      places[to] = place;
      counts[to] = facts.counts[at] ?? 0;
      next[word] = to + 1;
    }
  }
  return {
    of: (word) => {
      const [from, to] = [ends[word] ?? all, ends[word + 1] ?? all];
      return { places: places.subarray(from, to), counts: counts.subarray(from, to) };
    },
  };
}

function pathWordsOf(files: readonly IndexedFile[]): CodeIndex['pathWords'] {
  const found = new Map<string, { place: number; inName: boolean }[]>();
  for (const [place, { name, folders }] of files.entries())
    for (const word of new Set([...name, ...folders])) {
      const entry = { place, inName: name.includes(word) };
      const entries = found.get(word);
      if (entries === undefined) found.set(word, [entry]);
      else entries.push(entry);
    }
  return found;
}

const nameWords = (name: string): string[] =>
  name.split(/[^\dA-Za-z\u00c0-\uffff]+/).flatMap((word) => [...partsOf(word)]);

async function link(files: readonly IndexedFile[], definers: ReadonlyMap<number, readonly number[]>): Promise<Links[]> {
  const found = createFindImported(files.map(({ path }) => path));
  const weights = files.map(() => new Map<number, number>());
  const join = (one: number, other: number, weight: number): void => {
    if (one === other) return;
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const)
      weights[from]?.set(to, (weights[from].get(to) ?? 0) + weight);
  };
  for (const [place, { path, facts }] of files.entries()) {
    if (facts === null) continue;
    for (const specifier of facts.imports) {
      const imported = found(path, specifier);
      for (const other of imported) join(place, other, IMPORT / imported.length);
    }
    for (const reference of facts.references) {
      const defining = definers.get(reference);
      if (defining === undefined || defining.length > MOST_DEFINERS) continue;
      for (const other of defining) join(place, other, REFERENCE / defining.length);
    }
    if (place % TURN === TURN - 1) await nextTurn();
  }
  return weights.map((all) => ({ to: Int32Array.from(all.keys()), weight: Float32Array.from(all.values()) }));
}
