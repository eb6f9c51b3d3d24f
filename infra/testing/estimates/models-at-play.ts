import { draw, WAIT_USD, type Candidate } from '@workledger/shared/routing/choose.ts';
import { randomOf } from '@workledger/shared/routing/random.ts';

const LEVEL = 'medium';
const ROUNDS = 600;
const WORLDS = 12;
/** What nobody who chooses knows: how likely a try of each is good. */
export const models = [
  { model: 'small', priceUsd: 0.01, truth: 0.35 },
  { model: 'middle', priceUsd: 0.06, truth: 0.75 },
  { model: 'large', priceUsd: 0.4, truth: 0.92 },
  { model: 'odd', priceUsd: 0.2, truth: 0.5 },
];
const usdOf = ({ priceUsd, truth }: (typeof models)[number]): number => (priceUsd + WAIT_USD[LEVEL]) / truth;
const best = Math.min(...models.map(usdOf));

/** Says which is tried. */
export type Chooser = (candidates: readonly Candidate[], seed: string) => string;
export const learning: Chooser = (candidates, seed) => draw(candidates, LEVEL, seed);
export const anyOne: Chooser = (candidates, seed) =>
  candidates[Math.floor(randomOf(seed)() * candidates.length)]!.model;

/** US dollars a success beyond the best, try by try, in one world: what is tried comes out by chance, and is told. */
export function play(chooser: Chooser, world: string, rounds = ROUNDS): number[] {
  const random = randomOf(`world ${world}`);
  const tries = new Map(models.map(({ model }) => [model, { succeeded: 0, failed: 0 }]));
  return Array.from({ length: rounds }, (_, round) => {
    const none = { succeeded: 0, failed: 0 };
    const known = models.map(({ model, priceUsd }) => ({ model, priceUsd, same: tries.get(model)!, others: none }));
    const name = chooser(known, `${world}/${round}`);
    const chosen = models.find(({ model }) => model === name)!;
    tries.get(name)![random() < chosen.truth ? 'succeeded' : 'failed'] += 1;
    return usdOf(chosen) - best;
  });
}

const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;

/** The mean of several worlds, by thirds of the tries. */
export function regrets(chooser: Chooser, seed: string): [number, number, number] {
  const worlds = Array.from({ length: WORLDS }, (_, world) => play(chooser, `${seed}/${world}`));
  const third = (number: number): number =>
    mean(worlds.map((all) => mean(all.slice((number * ROUNDS) / 3, ((number + 1) * ROUNDS) / 3))));
  return [third(0), third(1), third(2)];
}
