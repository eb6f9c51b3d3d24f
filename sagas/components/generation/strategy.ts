/** How a candidate writes code: an agent of ours in a folder, Codegen in a place of its own, or one answer of a model. */
export type Kind = 'agent' | 'codegen' | 'chat';
export type Level = 'low' | 'medium' | 'high';

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
  readonly complexity: { readonly level: Level; readonly score: number } | null;
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
/** US dollars that an attempt takes of those who wait for it, whatever its price is. */
const WAIT: Readonly<Record<Level, number>> = { low: 0.05, medium: 0.25, high: 1 };

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
  const costUsd = (price + WAIT[level]) / chance;
  const known = tries === 0 ? 'nothing recorded' : `${record.succeeded} of ${tries} were good`;
  return {
    costUsd,
    words: `$${amount(price)} an attempt and $${amount(WAIT[level])} of waiting, by a chance of ${Math.round(100 * chance)} % (${known}): $${amount(costUsd)}`,
  };
}

const amount = (usd: number): string => String(Number(usd.toFixed(3)));

/** Characters of a request that asks for one small thing. */
const SHORT = 400;
const LONG = 2_500;
/** What somebody says who knows: names of labels. */
const SIMPLE = /^(?:good first issue|typo|docs|documentation|trivial|simple|easy|chore|size\/x?s)$/i;
const HARD =
  /^(?:complex|hard|epic|architecture|refactor(?:ing)?|security|migration|performance|breaking(?: change)?|size\/x{0,2}l)$/i;
const HARD_WORDS =
  /\b(?:refactor|rewrite|redesign|migrat(?:e|ion)|architecture|concurren(?:t|cy)|race condition|deadlock|performance|security|across (?:all|the)|everywhere|protocol)\w*/gi;
const SIMPLE_WORDS = /\b(?:typo|rename|wording|comment|readme|changelog|off by one|log message|default value)\b/i;
const PARTS = /^[ \t]{0,20}(?:[-*+]|\d{1,3}[.)])[ \t]{1,4}\S/gm;
const PATHS = /\b[\w-]+(?:\/[\w.-]+)+\.\w{1,5}\b/g;

/** How hard a task is: as it says itself, else by its labels, its words and how much it asks for. */
export function levelOf({
  title,
  description,
  labels,
  complexity,
}: Pick<Wanted, 'title' | 'description' | 'labels' | 'complexity'>): { level: Level; because: string } {
  if (complexity !== null)
    return { level: complexity.level, because: `the task says ${complexity.level} (${complexity.score} of 100)` };
  const words = `${title}\n${description}`;
  const hard = labels.find((label) => HARD.test(label));
  if (hard !== undefined) return { level: 'high', because: `its label "${hard}"` };
  const simple = labels.find((label) => SIMPLE.test(label));
  if (simple !== undefined) return { level: 'low', because: `its label "${simple}"` };
  const parts = words.match(PARTS)?.length ?? 0;
  const files = new Set(words.match(PATHS) ?? []).size;
  const heavy = new Set((words.match(HARD_WORDS) ?? []).map((word) => word.toLowerCase())).size;
  const points = [
    words.length > LONG ? 2 : words.length > SHORT ? 1 : 0,
    parts > 6 ? 2 : parts > 2 ? 1 : 0,
    files > 4 ? 2 : files > 1 ? 1 : 0,
    2 * heavy,
    SIMPLE_WORDS.test(words) ? -1 : 0,
  ].reduce((sum, one) => sum + one, 0);
  const level = points >= 4 ? 'high' : points >= 1 ? 'medium' : 'low';
  return {
    level,
    because: `${words.length} characters, ${parts} parts, ${files} files named, ${heavy} words of hard work`,
  };
}
