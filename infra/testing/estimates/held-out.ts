import { levelOfScore, levels } from '@workledger/shared/estimates/effort.ts';
import { estimate } from '@workledger/shared/estimates/estimate.ts';
import { learn, type Past } from '@workledger/shared/estimates/experience.ts';
import { taskTypeOf } from '@workledger/shared/estimates/features.ts';

/** How well tasks that were held back were foreseen. */
export type Foreseen = {
  readonly name: string;
  /** Share of levels that were right. */
  readonly right: number;
  /** Steps of a level that a guess is off, on average. */
  readonly off: number;
  /** Points of 100 that a guess is off, on average. */
  readonly points: number;
};

const MEDIUM = 50;
const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);

/**
 * The estimate, with and without what was learned from the past, beside guesses that need no thought: always medium, and what tasks of
 * the same type, or of all types, took on average.
 */
export function foresee(past: readonly Past[], heldOut: readonly Past[]) {
  const [knowing, naive] = [learn(past), learn([])];
  const all = mean(past.map(({ effort }) => effort));
  const byType = new Map<string, number[]>();
  for (const task of past) byType.set(taskTypeOf(task), [...(byType.get(taskTypeOf(task)) ?? []), task.effort]);
  const ofType = (task: Past): number => mean(byType.get(taskTypeOf(task)) ?? [all]);
  const judge = (name: string, guess: (task: Past) => number): Foreseen => {
    const guesses = heldOut.map((task) => ({ guess: guess(task), effort: task.effort }));
    const steps = guesses.map((one) => Math.abs(stepOf(one.guess) - stepOf(one.effort)));
    const points = mean(guesses.map((one) => Math.abs(one.guess - one.effort)));
    return { name, right: mean(steps.map((step) => (step === 0 ? 1 : 0))), off: mean(steps), points };
  };
  return {
    estimate: judge('estimate', (task) => estimate(task, knowing).score),
    unlearned: judge('before anything was learned', (task) => estimate(task, naive).score),
    medium: judge('always medium', () => MEDIUM),
    type: judge("the type's mean", ofType),
    mean: judge('the mean of all', () => all),
  };
}

const stepOf = (score: number): number => levels.indexOf(levelOfScore(score));
