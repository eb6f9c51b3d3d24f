import { randomUUID } from 'node:crypto';
import { afterAll, expect, it } from 'vitest';
import { quantised } from '@workledger/shared/embeddings/port.ts';
import { createNearestIndex } from './nearest-index.ts';
import { startNearestWorker } from './nearest-worker.ts';

const DIMENSIONS = 64;
/** The same numbers for the same seed. */
const numbersOf = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
};
const vectorOf = (next: () => number, near?: readonly number[]): number[] =>
  Array.from({ length: DIMENSIONS }, (_, dimension) => next() + 2 * (near?.[dimension] ?? 0));
const cosine = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((sum, part, dimension) => sum + part * other[dimension]!, 0) / Math.hypot(...one) / Math.hypot(...other);

const filled = (vectors: ReadonlyMap<string, readonly number[]>) => {
  const index = createNearestIndex(DIMENSIONS);
  for (const [id, numbers] of vectors) {
    const { vector, scale } = quantised(numbers);
    index.add([id], vector, Float32Array.of(scale));
  }
  return index;
};

it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
  'finds what is nearest, with its cosine to a hundredth, %i',
  (seed) => {
    const next = numbersOf(seed);
    const vectors = new Map(Array.from({ length: seed + 5 }, () => [randomUUID() as string, vectorOf(next)] as const));
    const query = vectorOf(next);
    const { ids, similarities } = filled(vectors).nearest(quantised(query), vectors.size, null);
    expect(ids.toSorted()).toEqual([...vectors.keys()].toSorted());
    for (const [place, id] of ids.entries())
      expect(Math.abs(similarities[place]! - cosine(query, vectors.get(id)!))).toBeLessThan(0.01);
    expect(similarities.toSorted((one, other) => other - one)).toEqual(similarities);
  },
);

it('finds the members of a group among ten thousand others, in two passes', () => {
  const next = numbersOf(7);
  const centre = vectorOf(next);
  const group = Array.from({ length: 50 }, () => [randomUUID() as string, vectorOf(next, centre)] as const);
  const others = Array.from({ length: 10_000 }, () => [randomUUID() as string, vectorOf(next)] as const);
  const index = filled(new Map([...others, ...group]));
  const { ids } = index.nearest(quantised(centre), 50, null);
  expect(new Set(ids)).toEqual(new Set(group.map(([id]) => id)));
  expect(index.size()).toBe(10_050);
});

it('looks among some only, and at none that it does not know', () => {
  const next = numbersOf(8);
  const vectors = new Map(Array.from({ length: 100 }, () => [randomUUID() as string, vectorOf(next)] as const));
  const some = [...vectors.keys()].slice(0, 3);
  const { ids } = filled(vectors).nearest(quantised(vectorOf(next)), 10, [...some, randomUUID()]);
  expect(ids.toSorted()).toEqual(some.toSorted());
});

const worker = startNearestWorker(DIMENSIONS);
afterAll(() => worker.stop());

it('has one embedding an entry, the newest, also in its thread', async () => {
  const next = numbersOf(9);
  const [id, before, after] = [randomUUID(), vectorOf(next), vectorOf(next)];
  for (const numbers of [before, after]) {
    const { vector, scale } = quantised(numbers);
    await worker.add([id], vector, Float32Array.of(scale));
  }
  const { ids, similarities } = await worker.nearest(quantised(after), 10, null);
  expect(ids).toEqual([id]);
  expect(similarities[0]).toBeCloseTo(1, 2);
});

it('says so when its thread has ended', async () => {
  const ending = startNearestWorker(DIMENSIONS);
  await ending.stop();
  expect(ending.hasEnded()).toBe(true);
  await expect(ending.bytes()).rejects.toThrow('has ended');
});
