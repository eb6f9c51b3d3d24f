import type { CodeIndex } from './code-index.ts';
import { wordsOf } from './words.ts';

/** How much a file matters by one way of looking, by place; 0: not at all. */
export type Scores = Float64Array;

/** What is asked, in its words. */
export type Question = {
  /** Stems, each once, by how much they count: those of a title more than those of what follows. */
  readonly words: ReadonlyMap<string, number>;
  /** What may be a name or a path in the code, as it was written. */
  readonly names: ReadonlySet<string>;
};

const MOST_WORDS = 120;
const OF_TITLE = 2;

export function questionOf(title: string, description = ''): Question {
  const words = new Map<string, number>();
  for (const word of wordsOf(title)) words.set(word, OF_TITLE);
  for (const word of wordsOf(description))
    if (words.size < MOST_WORDS || words.has(word)) words.set(word, Math.max(words.get(word) ?? 0, 1));
  const names = `${title} ${description}`.match(/[\w$][\w$./-]*/g) ?? [];
  return {
    words,
    names: new Set(names.map((name) => name.replace(/[./-]{1,9}$/, '')).filter((name) => name.length > 2)),
  };
}

const K1 = 1.2;
const B = 0.6;

/** How rare a word is that so many of all have. */
export const rarity = (having: number, all: number): number => Math.log(1 + (all - having + 0.5) / (having + 0.5));

/** BM25 over what stands in the files. */
export function byContent({ words }: Question, { files, dictionary, postings, averageLength }: CodeIndex): Scores {
  const scores = new Float64Array(files.length);
  for (const [word, weight] of words) {
    const number = dictionary.known(word);
    if (number === undefined) continue;
    const { places, counts } = postings.of(number);
    const rare = rarity(places.length, files.length) * weight;
    for (const [at, place] of places.entries()) {
      const count = counts[at] ?? 0;
      const long = 1 - B + (B * (files[place]?.facts?.length ?? 0)) / averageLength;
      scores[place] = (scores[place] ?? 0) + (rare * count * (K1 + 1)) / (count + K1 * long);
    }
  }
  return scores;
}

const OF_NAME = 2;

/** By the words of paths, those of the file's own name above those of its folders. */
export function byPath({ words }: Question, { files, pathWords }: CodeIndex): Scores {
  const scores = new Float64Array(files.length);
  for (const [word, weight] of words) {
    const standing = pathWords.get(word) ?? [];
    const rare = rarity(standing.length, files.length) * weight;
    for (const { place, inName } of standing) scores[place] = (scores[place] ?? 0) + (inName ? OF_NAME : 1) * rare;
  }
  for (const [place, { name, folders }] of files.entries())
    if (scores[place] !== 0) scores[place] = (scores[place] ?? 0) / Math.sqrt(2 + name.length + folders.length / 2);
  return scores;
}

/** By names that are written as the code has them: of a symbol where it is defined, of a file, of a path. */
export function byName({ names }: Question, { files, dictionary, definers, places }: CodeIndex): Scores {
  const scores = new Float64Array(files.length);
  const add = (place: number, score: number): void => void (scores[place] = (scores[place] ?? 0) + score);
  const paths = [...names].filter((name) => /[./]/.test(name));
  for (const name of names) {
    const number = dictionary.known(name.split(/[./]/).at(-1) ?? name);
    const defining = number === undefined ? [] : (definers.get(number) ?? []);
    for (const place of defining) add(place, (isWritten(name) ? 1 : 0.4) / Math.sqrt(defining.length));
  }
  for (const [path, place] of paths.length === 0 ? [] : places)
    for (const name of paths) if (path === name || path.endsWith(`/${name}`)) add(place, 2);
  return scores;
}

/** Not a word of any sentence. */
const isWritten = (name: string): boolean => /[a-z][A-Z]|_|\d/.test(name);
