import type { Complexity } from '@workledger/shared/contexts/task/task/events.ts';
import type { Level } from '@workledger/shared/estimates/effort.ts';
import { estimate } from '@workledger/shared/estimates/estimate.ts';
import { learn } from '@workledger/shared/estimates/experience.ts';
import { WAIT_USD } from '@workledger/shared/routing/choose.ts';

/** How a candidate writes code: an agent of ours in a folder, Codegen in a place of its own, or one answer of a model. */
export type Kind = 'agent' | 'codegen' | 'chat';
export type { Level };

/** Who may write the code of a task. */
export type Candidate = {
  /** As a generation's attempts name it; no two have the same. */
  readonly name: string;
  readonly kind: Kind;
  /** What it can do; null: it is asked for nothing more, since it holds the task. */
  readonly capabilities: readonly string[] | null;
  /** US dollars that one attempt takes; null: nobody knows. */
  readonly priceUsd: number | null;
  /** How its attempts came out, as they were judged in the end. */
  readonly record: { readonly succeeded: number; readonly failed: number };
};

/** The task, as far as it decides who writes its code. */
export type Wanted = {
  readonly title: string;
  readonly description: string;
  readonly labels: readonly string[];
  readonly capabilities: readonly string[];
  readonly complexity: (Pick<Complexity, 'level' | 'score'> & Partial<Complexity>) | null;
  /** Whose work on this task was refused already. */
  readonly refused: readonly string[];
};

export type Ranked = {
  readonly name: string;
  readonly kind: Kind;
  /** Why it stands where it stands, in words. */
  readonly reason: string;
};
export type Strategy = {
  readonly level: Level;
  /** Why the task has this level, in words. */
  readonly because: string;
  /** First to last: the next one is asked when one fails. */
  readonly order: readonly Ranked[];
  /** Who cannot do it, and what it lacks. */
  readonly left: readonly Ranked[];
};

/** How likely an attempt is good before there is any record of it. */
const CHANCE: Readonly<Record<Kind, Readonly<Record<Level, number>>>> = {
  chat: { low: 0.7, medium: 0.3, high: 0.1 },
  codegen: { low: 0.6, medium: 0.6, high: 0.55 },
  agent: { low: 0.7, medium: 0.7, high: 0.65 },
};
/** So many attempts of a record count as much as what was thought before. */
const DOUBT = 4;
/** US dollars of an attempt that nobody has a price of. */
const PRICE: Readonly<Record<Kind, number>> = { chat: 0.02, agent: 0.5, codegen: 1 };
/**
 * Who is asked to write the code of a task, first to last. Whoever costs least for what it is likely to bring comes first: price and wait
 * of an attempt, divided by its chance. Asked in this order, one after the other until one succeeds, they cost the least that can be
 * expected. Those whose work was refused come last.
 */
export function strategyFor(wanted: Wanted, candidates: readonly Candidate[]): Strategy {
  const { level, because } = levelOf(wanted);
  const missing = ({ capabilities }: Candidate): string[] =>
    capabilities === null ? [] : wanted.capabilities.filter((one) => !capabilities.includes(one));
  const rated = candidates
    .filter((one) => missing(one).length === 0)
    .map((candidate) => ({ candidate, ...rate(candidate, level), again: wanted.refused.includes(candidate.name) }))
    .sort(
      (one, other) =>
        Number(one.again) - Number(other.again) ||
        one.costUsd - other.costUsd ||
        (one.candidate.name < other.candidate.name ? -1 : 1),
    );
  return {
    ...{ level, because },
    order: rated.map(({ candidate: { name, kind }, words, again }) => ({
      ...{ name, kind },
      reason: again ? `last, since its work was refused: ${words}` : words,
    })),
    left: candidates
      .filter((one) => missing(one).length > 0)
      .map(({ name, kind, ...one }) => ({
        ...{ name, kind },
        reason: `it cannot do: ${missing({ name, kind, ...one }).join(', ')}`,
      })),
  };
}

function rate({ kind, priceUsd, record }: Candidate, level: Level): { costUsd: number; words: string } {
  const tries = record.succeeded + record.failed;
  const chance = (CHANCE[kind][level] * DOUBT + record.succeeded) / (DOUBT + tries);
  const price = priceUsd ?? PRICE[kind];
  const costUsd = (price + WAIT_USD[level]) / chance;
  const known = tries === 0 ? 'nothing recorded' : `${record.succeeded} of ${tries} were good`;
  return {
    costUsd,
    words: `$${amount(price)} an attempt and $${amount(WAIT_USD[level])} of waiting, by a chance of ${Math.round(100 * chance)} % (${known}): $${amount(costUsd)}`,
  };
}

const amount = (usd: number): string => String(Number(usd.toFixed(3)));

const unlearned = learn([]);

/** How hard a task is: as it says itself, or as it was estimated when it came in; one of before there were estimates, by its words. */
export function levelOf({
  title,
  description,
  labels,
  complexity,
}: Pick<Wanted, 'title' | 'description' | 'labels' | 'complexity'>): { level: Level; because: string } {
  if (complexity === null) {
    const { level, reason } = estimate({ title, description, labels }, unlearned);
    return { level, because: reason };
  }
  const { level, score, estimated, reason } = complexity;
  if (estimated === true && reason !== undefined) return { level, because: reason };
  return { level, because: `the task says ${level} (${score} of 100)` };
}
