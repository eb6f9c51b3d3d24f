import { rarity, type Question, type Scores } from './by-words.ts';
import type { CodeIndex } from './code-index.ts';
import type { PastCommit } from './repository.ts';
import { wordsOf } from './words.ts';

/** What was done before, ready to be asked; the newest first. */
export type History = {
  readonly commits: readonly (PastCommit & { readonly words: ReadonlySet<string> })[];
  /** In how many subjects a word stands. */
  readonly having: ReadonlyMap<string, number>;
};

export function createHistory(past: readonly PastCommit[]): History {
  const commits = past.map((commit) => ({ ...commit, words: new Set(wordsOf(commit.subject)) }));
  const having = new Map<string, number>();
  for (const { words } of commits) for (const word of words) having.set(word, (having.get(word) ?? 0) + 1);
  return { commits, having };
}

/** Commits after which one counts half. */
const HALF = 300;
const HALF_OF_HABIT = 60;
const fresh = (at: number, half: number): number => half / (half + at);

/** Files that were touched under subjects of the same words. */
export function byPastWork({ words }: Question, { places, files }: CodeIndex, { commits, having }: History): Scores {
  const scores = new Float64Array(files.length);
  for (const [at, commit] of commits.entries()) {
    if (commit.paths.length === 0) continue;
    let likeness = 0;
    for (const word of commit.words) {
      const weight = words.get(word);
      if (weight !== undefined) likeness += weight * rarity(having.get(word) ?? 0, commits.length);
    }
    if (likeness === 0) continue;
    const share = (likeness ** 2 * fresh(at, HALF)) / Math.sqrt((1 + commit.words.size) * commit.paths.length);
    for (const path of commit.paths) addTo(scores, places.get(path), share);
  }
  return dampened(scores);
}

/** Files that are touched often, and lately. */
export function byHabit({ places, files }: CodeIndex, { commits }: History): Scores {
  const scores = new Float64Array(files.length);
  for (const [at, { paths }] of commits.entries())
    for (const path of paths) addTo(scores, places.get(path), fresh(at, HALF_OF_HABIT) / Math.sqrt(paths.length));
  return dampened(scores);
}

/** Files that changed together with these. */
export function byCompany(
  seeds: ReadonlyMap<number, number>,
  { places, files }: CodeIndex,
  { commits }: History,
): Scores {
  const scores = new Float64Array(files.length);
  for (const [at, { paths }] of commits.entries()) {
    const touched = paths.map((path) => places.get(path));
    const share = touched.reduce<number>((sum, place) => sum + (place === undefined ? 0 : (seeds.get(place) ?? 0)), 0);
    if (share > 0 && touched.length > 1)
      for (const place of touched) addTo(scores, place, (share * fresh(at, HALF)) / touched.length ** 1.5);
  }
  return dampened(scores);
}

function addTo(scores: Scores, place: number | undefined, score: number): void {
  if (place !== undefined) scores[place] = (scores[place] ?? 0) + score;
}

/** Ten times as much is not ten times as good. */
const dampened = (scores: Scores): Scores => scores.map(Math.sqrt);
