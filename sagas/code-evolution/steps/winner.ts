import { done, type Effector, type Outcome, waiting } from '../../pipeline/definition.ts';
import type { Facts, Learned } from '../facts.ts';
import { type Comparison, comparisonOf } from '../spread.ts';
import { tryJudged } from './judgements.ts';
import { checkSeconds, inRun, known, planOf } from './run.ts';

/** Of each commit, unless the plan says otherwise; plans of earlier versions say nothing. */
const MEASUREMENTS = 3;
/** Candidates that are measured beside the start before it stands. */
const MOST_COMPARED = 3;
/** A comparison that the machine failed is asked for again. */
const TRIES = 2;

/** The candidates that may be taken, best first; evolutions of earlier versions name the best one alone. */
const rankingOf = ({ evolved }: Facts): readonly { readonly id: string; readonly commit: string }[] =>
  evolved?.ranking ?? (evolved?.best ? [evolved.best] : []);

/**
 * Takes the best candidate that beats the start when both are measured again, side by side; else the start stands. A value that was
 * measured once, among others, may be luck, and the best of many is the luckiest.
 */
export function takeWinner(facts: Facts, on: Effector): Outcome {
  const start = facts.start ?? known(facts.evolved).commit;
  const compared: (Comparison & { readonly candidate: string })[] = [];
  const refused: string[] = [];
  for (const { id, commit } of rankingOf(facts).slice(0, MOST_COMPARED)) {
    const judgement = tryJudged(facts, on, `judge-${id}`, { commit, base: known(facts.base) });
    if (judgement === null) return waiting;
    const comparison = judgement.result?.failure === null ? compare(facts, on, id, { start, winner: commit }) : 'none';
    if (comparison === null) return waiting;
    if (comparison !== 'none') compared.push({ candidate: id, ...comparison });
    if (comparison !== 'none' && comparison.improved) return taken(commit, refused, compared);
    refused.push(commit);
  }
  return taken(
    start,
    rankingOf(facts).map(({ commit }) => commit),
    compared,
  );
}

const taken = (commit: string, refused: readonly string[], compared: readonly Comparison[]): Outcome =>
  done({ learned: { commit, chosen: commit, refused }, compared } satisfies Learned & { compared: unknown });

/** 'none': it cannot be compared. */
function compare(
  facts: Facts,
  on: Effector,
  id: string,
  sides: { readonly start: string; readonly winner: string },
): Comparison | 'none' | null {
  const plan = planOf(facts);
  const evolution = known(plan.evolve);
  const rounds = evolution.measurements ?? MEASUREMENTS;
  const request = { ...inRun(facts), ...sides, base: known(facts.base), rounds };
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const name = attempt === 1 ? `compare-${id}` : `compare-${id}-again`;
    const told = on.tryCall(name, 'code.compare', request, checkSeconds(plan) * (1 + rounds));
    if (told === null) return null;
    if (told.failure === undefined) return comparisonOf(evolution, told.result);
  }
  return 'none';
}

/**
 * What takes the place of a commit that evolution chose and that is refused later: the next of the ranking, last the start; null when
 * none is left, or when the work is not evolution's any more.
 */
export function nextChoice(facts: Facts): Partial<Facts> | null {
  if (facts.chosen === null) return null;
  const refused = [...facts.refused, facts.chosen];
  const next = [...rankingOf(facts).map(({ commit }) => commit), facts.start].find(
    (commit) => commit !== null && !refused.includes(commit),
  );
  return next ? { commit: next, chosen: next, refused } : null;
}
