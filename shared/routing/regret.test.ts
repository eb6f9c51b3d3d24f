import { describe, expect, it } from 'vitest';
import { choose, draw, WAIT_USD, type Candidate } from './choose.ts';
import { randomOf } from './random.ts';

const LEVEL = 'medium';
const ROUNDS = 600;
const WORLDS = 12;
/** What nobody knows: how likely a try of each is good. */
const models = [
  { model: 'small', priceUsd: 0.01, truth: 0.35 },
  { model: 'middle', priceUsd: 0.06, truth: 0.75 },
  { model: 'large', priceUsd: 0.4, truth: 0.92 },
  { model: 'odd', priceUsd: 0.2, truth: 0.5 },
];
const usdOf = ({ priceUsd, truth }: (typeof models)[number]): number => (priceUsd + WAIT_USD[LEVEL]) / truth;
const best = Math.min(...models.map(usdOf));

type Chooser = (candidates: readonly Candidate[], seed: string) => string;

/** Dollars a success beyond the best, round by round. */
function play(chooser: Chooser, world: number): number[] {
  const random = randomOf(`world ${world}`);
  const tries = new Map(models.map(({ model }) => [model, { succeeded: 0, failed: 0 }]));
  return Array.from({ length: ROUNDS }, (_, round) => {
    const none = { succeeded: 0, failed: 0 };
    const known = models.map(({ model, priceUsd }) => ({ model, priceUsd, same: tries.get(model)!, others: none }));
    const chosen = models.find(({ model }) => model === chooser(known, `${world}/${round}`))!;
    tries.get(chosen.model)![random() < chosen.truth ? 'succeeded' : 'failed'] += 1;
    return usdOf(chosen) - best;
  });
}

const mean = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / all.length;

function thirds(chooser: Chooser): number[] {
  const worlds = Array.from({ length: WORLDS }, (_, world) => play(chooser, world));
  return [0, 1, 2].map((third) =>
    mean(worlds.map((regrets) => mean(regrets.slice((third * ROUNDS) / 3, ((third + 1) * ROUNDS) / 3)))),
  );
}

const learning: Chooser = (candidates, seed) => draw(candidates, LEVEL, seed);
const anyOne: Chooser = (candidates, seed) => candidates[Math.floor(randomOf(seed)() * candidates.length)]!.model;

describe('what a success costs beyond the best model', () => {
  it('falls as outcomes are recorded, and is far below that of any one', () => {
    const [first, second, last] = thirds(learning) as [number, number, number];
    expect(second).toBeLessThan(first / 2);
    expect(last).toBeLessThan(first / 3);
    expect(mean([first, second, last])).toBeLessThan(mean(thirds(anyOne)) / 5);
  });

  it('is that of the choice itself', () => {
    const none = { succeeded: 0, failed: 0 };
    const candidates = models.map(({ model, priceUsd }) => ({ model, priceUsd, same: none, others: none }));
    for (const seed of ['a', 'b', 'c', 'd', 'e'])
      expect(choose(candidates, { level: LEVEL, seed }).model).toBe(draw(candidates, LEVEL, seed));
  });

  it('is the same for the same seeds', () => {
    const short = (world: number): number[] => play(learning, world).slice(0, 50);
    expect(short(3)).toEqual(short(3));
  });
});
