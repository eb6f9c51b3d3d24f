import { featuresOf, NOTHING_SAID, signals, type Described, type Features } from './features.ts';
import { solve } from './solve.ts';

/** A task that is over, and how hard it was, 0 to 100. */
export type Past = Described & { readonly effort: number };

/** What tasks of one repository taught, ready to be asked. */
export type Experience = {
  readonly tasks: readonly { readonly title: string; readonly effort: number }[];
  /** Points that each signal adds, that of a task which says nothing first. */
  readonly weights: readonly number[];
  /** By mark: points that a task has more, or less, than its signals say. */
  readonly adds: ReadonlyMap<string, number>;
  /** How much a mark tells: the rarer, the more. */
  readonly rarity: ReadonlyMap<string, number>;
  /** By mark: which tasks have it, and how much of them it is. */
  readonly index: ReadonlyMap<string, readonly (readonly [task: number, weight: number])[]>;
};

/** Past tasks that are believed as much as what was thought before: signals take more, since they are many. */
const DOUBT = 12;
const prior = [NOTHING_SAID, ...signals.map(({ points }) => points)];

/** Learns from tasks that are over; with none it thinks what it thought before. */
export function learn(past: readonly Past[]): Experience {
  const features = past.map((task) => featuresOf(task));
  const weights = fit(
    features.map(rowOf),
    past.map(({ effort }) => effort),
  );
  const surprises = past.map(({ effort }, at) => effort - byWords(weights, features[at]!));
  const tasks = past.map(({ title, effort }) => ({ title, effort }));
  return { tasks, weights, adds: whatMarksAdd(features, surprises), ...indexOf(features) };
}

/** 1 for what is so of every task, then its signals. */
const rowOf = ({ numbers }: Features): number[] => [1, ...numbers];

/** What the words alone say, before it is brought between 0 and 100. */
export const byWords = (weights: readonly number[], features: Features): number =>
  rowOf(features).reduce((sum, value, at) => sum + value * weights[at]!, 0);

/** Weights that fit the past best, held back by what was thought before: `(XᵀX + D)(w − prior) = Xᵀ(y − X·prior)`. */
function fit(rows: readonly (readonly number[])[], efforts: readonly number[]): number[] {
  const size = prior.length;
  const matrix = Array.from({ length: size }, (_, at) =>
    Array.from({ length: size }, (_, to) => (at === to ? DOUBT : 0)),
  );
  const right = Array<number>(size).fill(0);
  rows.forEach((row, index) => {
    const left = efforts[index]! - row.reduce((sum, value, at) => sum + value * prior[at]!, 0);
    for (let at = 0; at < size; at++) {
      if (row[at] === 0) continue;
      right[at]! += row[at]! * left;
      for (let to = 0; to < size; to++) matrix[at]![to]! += row[at]! * row[to]!;
    }
  });
  return solve(matrix, right).map((change, at) => prior[at]! + change);
}

/** How much a mark is held back from saying anything: what only one task has says little. */
const MARKS_DOUBT = 12;
const ROUNDS = 5;

/** Points of each mark that leave the least surprise, each held back, found one after the other and again. */
function whatMarksAdd(features: readonly Features[], surprises: readonly number[]): Map<string, number> {
  const left = [...surprises];
  const having = new Map<string, [number, number][]>();
  features.forEach(({ marks }, task) => {
    for (const [mark, weight] of marks) {
      const entries = having.get(mark) ?? [];
      having.set(mark, entries);
      entries.push([task, weight]);
    }
  });
  // What only one task has says nothing of others.
  for (const [mark, entries] of having) if (entries.length === 1) having.delete(mark);
  const adds = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++)
    for (const [mark, entries] of having) {
      const before = adds.get(mark) ?? 0;
      let [pull, hold] = [0, MARKS_DOUBT];
      for (const [task, weight] of entries) {
        pull += weight * (left[task]! + weight * before);
        hold += weight * weight;
      }
      const after = pull / hold;
      adds.set(mark, after);
      for (const [task, weight] of entries) left[task]! -= weight * (after - before);
    }
  return adds;
}

function indexOf(features: readonly Features[]): Pick<Experience, 'rarity' | 'index'> {
  const counts = new Map<string, number>();
  for (const { marks } of features) for (const mark of marks.keys()) counts.set(mark, (counts.get(mark) ?? 0) + 1);
  const rarity = new Map([...counts].map(([mark, count]) => [mark, Math.log((1 + features.length) / count)] as const));
  const index = new Map<string, [number, number][]>();
  features.forEach(({ marks }, task) => {
    for (const [mark, weight] of weighed(marks, rarity)) {
      const entries = index.get(mark) ?? [];
      index.set(mark, entries);
      entries.push([task, weight]);
    }
  });
  return { rarity, index };
}

/** What only stands in a description does not make a task like another. */
const TELLING = 1;

/** Marks that others have, too, brought to a length of 1. */
export function weighed(marks: Features['marks'], rarity: Experience['rarity']): (readonly [string, number])[] {
  const known = [...marks].flatMap(([mark, weight]) => {
    const rare = rarity.get(mark);
    return rare === undefined || weight < TELLING ? [] : [[mark, weight * rare] as const];
  });
  const length = Math.sqrt(known.reduce((sum, [, weight]) => sum + weight * weight, 0));
  return length === 0 ? [] : known.map(([mark, weight]) => [mark, weight / length] as const);
}
