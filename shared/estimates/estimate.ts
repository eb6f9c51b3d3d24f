import { levelOfScore, type Level } from './effort.ts';
import { byWords, weighed, type Experience } from './experience.ts';
import { featuresOf, signals, type Described } from './features.ts';

export type Estimate = {
  readonly level: Level;
  /** 0 to 100. */
  readonly score: number;
  /** Why, in words; none of the description's. */
  readonly reason: string;
};

/** How alike two tasks are at least that are called so. */
const ALIKE = 0.15;
const WORTH_TELLING = 2;

/**
 * How hard a task is: what its words say, by weights that were learned, moved by how far tasks like it came out harder or easier than
 * their words. The same task and the same experience give the same.
 */
export function estimate(task: Described, experience: Experience): Estimate {
  const features = featuresOf(task);
  const said = clamp(byWords(experience.weights, features));
  const near = neighbours(weighed(features.marks, experience.rarity), experience);
  const moved = [...features.marks].reduce((sum, [mark, weight]) => sum + weight * (experience.adds.get(mark) ?? 0), 0);
  const score = Math.round(clamp(said + moved));
  const level = levelOfScore(score);
  const words = signalsIn(experience, features.numbers);
  return {
    ...{ level, score },
    reason: `${level}, ${score} of 100: ${[words, likeOthers(near, moved, experience)].filter(Boolean).join('; ')}`,
  };
}

const clamp = (score: number): number => Math.min(100, Math.max(0, score));

type Neighbour = { readonly title: string; readonly effort: number; readonly alike: number };

function neighbours(marks: readonly (readonly [string, number])[], { index, tasks }: Experience): Neighbour[] {
  const alike = new Float64Array(tasks.length);
  for (const [mark, own] of marks) for (const [task, weight] of index.get(mark) ?? []) alike[task]! += own * weight;
  return tasks.flatMap((task, at) => (alike[at]! >= ALIKE ? [{ ...task, alike: alike[at]! }] : []));
}

function signalsIn({ weights }: Experience, numbers: readonly number[]): string {
  const points = signals
    .map(({ name }, at) => ({ name, points: Math.round(numbers[at]! * weights[at + 1]!) }))
    .filter(({ points }) => Math.abs(points) >= WORTH_TELLING)
    .sort((one, other) => Math.abs(other.points) - Math.abs(one.points))
    .slice(0, 4);
  if (points.length === 0) return 'it says little';
  return points.map((one) => `${one.name} (${signed(one.points)})`).join(', ');
}

function likeOthers(near: readonly Neighbour[], moved: number, { tasks }: Experience): string {
  if (tasks.length === 0) return 'nothing was learned yet';
  const nearest = near.reduce<Neighbour | undefined>(
    (best, one) => (best === undefined || one.alike > best.alike ? one : best),
    undefined,
  );
  if (nearest === undefined) return `none of ${tasks.length} finished tasks is like it`;
  const count = near.length === 1 ? '1 finished task is' : `${near.length} finished tasks are`;
  const how =
    Math.abs(moved) < 1
      ? 'and came out as their words said'
      : `and came out ${moved > 0 ? 'harder' : 'easier'} than their words said (${signed(Math.round(moved))})`;
  return `${count} like it, first "${nearest.title.slice(0, 80)}" (${Math.round(nearest.effort)}), ${how}`;
}

const signed = (points: number): string => (points < 0 ? `−${-points}` : `+${points}`);
