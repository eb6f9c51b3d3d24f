import type { Uses } from './uses.ts';

export type Ranked = { readonly id: string; readonly score: number };

/** Reciprocal rank fusion: what stands first counts 1/61, what stands second 1/62, … in each ranking. */
const K = 60;
/** A use counts less the more there are; at most so much of the score: nothing that does not answer is lifted over what does. */
const OF_USES = 0.05;
const MOST_OF_USES = 0.25;
/** What rests on an entry tells more than that it was opened. */
const CITED = 3;

/**
 * Unites rankings, the best first each: by the places alone, since scores of different kinds cannot be compared. What was used often
 * comes a little earlier.
 */
export function fused(rankings: readonly (readonly string[])[], uses: ReadonlyMap<string, Uses>): Ranked[] {
  const scores = new Map<string, number>();
  for (const ranking of rankings)
    for (const [place, id] of ranking.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (K + place + 1));
  return [...scores]
    .map(([id, score]) => ({ id, score: score * (1 + prior(uses.get(id))) }))
    .sort((one, other) => other.score - one.score || (one.id < other.id ? -1 : 1));
}

const prior = (uses: Uses | undefined): number =>
  uses === undefined ? 0 : Math.min(MOST_OF_USES, OF_USES * Math.log1p(uses.opened + CITED * uses.cited));
