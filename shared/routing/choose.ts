import { beta, randomOf, type Random } from './random.ts';
import type { Level } from '../estimates/effort.ts';

export type Tries = { readonly succeeded: number; readonly failed: number };

/** A model that may be asked. */
export type Candidate = {
  readonly model: string;
  /** US dollars that one try is expected to take. */
  readonly priceUsd: number;
  /** How it did at this type of task of this complexity. */
  readonly same: Tries;
  /** How it did at other types of this complexity. */
  readonly others: Tries;
};

export type Rated = Candidate & {
  /** How likely a try is good: the mean of what may be believed. */
  readonly chance: number;
  /** How likely it is the best of all: 0 to 1. */
  readonly isBest: number;
};

export type Choice = {
  readonly model: string;
  /** The posterior probability that no other model costs less for a success. */
  readonly confidence: number;
  readonly estimatedCostUsd: number;
  readonly reason: string;
  readonly rated: readonly Rated[];
};

/** US dollars that a try takes of those who wait for it, whatever its price is. */
export const WAIT_USD: Readonly<Record<Level, number>> = { low: 0.05, medium: 0.25, high: 1 };
/** What is thought of a model of which nothing is known: as if of so many tries so many had been good. */
const UNKNOWN = { tries: 2, good: 1 };
/** What other types of task tell counts as this many tries of this one, at most. */
const MOST_OF_OTHERS = 4;
const DRAWS = 500;
/** A model that is preferred is taken unless it is known to be worse than this. */
const PREFERRED_FROM = 0.05;

/** The Beta distribution of how likely a try is good. */
function believed({ same, others }: Candidate): { readonly good: number; readonly bad: number } {
  const tries = others.succeeded + others.failed;
  const mean = (UNKNOWN.good + others.succeeded) / (UNKNOWN.tries + tries);
  const weight = Math.min(MOST_OF_OTHERS, UNKNOWN.tries + tries / 2);
  return { good: weight * mean + same.succeeded, bad: weight * (1 - mean) + same.failed };
}

/**
 * Which model is asked: Thompson sampling. For each a chance is drawn from what may be believed of it; whoever costs least for a success
 * by these, price and wait divided by chance, is chosen. So what is little known is tried now and then, and what is known to be worse is
 * not. The same candidates and the same seed give the same choice.
 * @param candidates at least one
 */
export function choose(
  candidates: readonly Candidate[],
  {
    level,
    preferred = null,
    seed,
  }: { readonly level: Level; readonly preferred?: string | null; readonly seed: string },
): Choice {
  const random = randomOf(seed);
  const beliefs = beliefsOf(candidates, level);
  const drawn = cheapest(beliefs, random);
  const wins = candidates.map(() => 0);
  for (let draw = 0; draw < DRAWS; draw++) wins[cheapest(beliefs, random)]! += 1;
  const rated = candidates.map((candidate, at) => {
    const { good, bad } = beliefs[at]!;
    return { ...candidate, chance: good / (good + bad), isBest: wins[at]! / DRAWS };
  });
  const wanted = rated.find(({ model }) => model === preferred);
  const isTaken = wanted !== undefined && wanted.isBest >= PREFERRED_FROM;
  const { model, isBest, priceUsd } = isTaken ? wanted : rated[drawn]!;
  const reason = reasonOf({ rated, model, preferred, wanted });
  return { model, confidence: isBest, estimatedCostUsd: priceUsd, reason, rated };
}

/** The model that one draw chooses, and no more: what `choose` takes where nobody prefers one. */
export const draw = (candidates: readonly Candidate[], level: Level, seed: string): string =>
  candidates[cheapest(beliefsOf(candidates, level), randomOf(seed))]!.model;

const beliefsOf = (candidates: readonly Candidate[], level: Level): Belief[] =>
  candidates.map((candidate) => ({ ...believed(candidate), usd: candidate.priceUsd + WAIT_USD[level] }));

type Belief = { readonly good: number; readonly bad: number; readonly usd: number };

/** One draw: the place of the one that costs least for a success. */
function cheapest(beliefs: readonly Belief[], random: Random): number {
  let [place, least] = [0, Number.POSITIVE_INFINITY];
  beliefs.forEach(({ good, bad, usd }, at) => {
    const cost = usd / beta(good, bad, random);
    if (cost < least) [place, least] = [at, cost];
  });
  return place;
}

type Told = {
  readonly rated: readonly Rated[];
  readonly model: string;
  readonly preferred: string | null;
  readonly wanted: Rated | undefined;
};

function reasonOf({ rated, model, preferred, wanted }: Told): string {
  const chosen = rated.find((one) => one.model === model)!;
  const best = rated.reduce((first, one) => (one.isBest > first.isBest ? one : first));
  const facts = `${triesOf(chosen)}, $${amount(chosen.priceUsd)} a try, ${percent(chosen.isBest)} likely the best of ${rated.length}`;
  if (preferred !== null && wanted === undefined) return `"${preferred}" is not configured; ${model}: ${facts}`;
  if (model === preferred) return `preferred: ${facts}`;
  const instead =
    wanted === undefined
      ? ''
      : `not "${preferred}", which is only ${percent(wanted.isBest)} likely the best (${triesOf(wanted)}); `;
  if (rated.length === 1) return `${instead}the only one: ${facts}`;
  return best.model === model
    ? `${instead}${facts}`
    : `${instead}tried, since little is known: ${facts}; ${best.model} is ${percent(best.isBest)}`;
}

function triesOf({ same, others }: Rated): string {
  const tries = same.succeeded + same.failed;
  if (tries > 0) return `${same.succeeded} of ${tries} tries at its like were good`;
  const other = others.succeeded + others.failed;
  return other > 0 ? `${others.succeeded} of ${other} tries at other types were good` : 'nothing recorded';
}

const percent = (share: number): string => `${Math.round(100 * share)} %`;
const amount = (usd: number): string => String(Number(usd.toPrecision(3)));
