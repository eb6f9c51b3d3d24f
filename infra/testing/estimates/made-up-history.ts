import type { Past } from '@workledger/shared/estimates/experience.ts';
import type { Random } from '@workledger/shared/routing/random.ts';

/**
 * Tasks that are over, made up: each has an area of the code, a kind of work and a number of things to do. How hard it was is a base of
 * its kind, what its area adds (which its words do not say: that is to be learned), what each thing adds, and chance, which nothing can
 * foresee. A third say little of what they ask for, as people do.
 */
export function madeUpHistory(random: Random, count: number): Past[] {
  return Array.from({ length: count }, () => madeUp(random));
}

const areas = [
  { name: 'payments', words: ['invoice', 'refund', 'ledger', 'currency'], adds: 22 },
  { name: 'search', words: ['ranking', 'index', 'synonyms', 'query'], adds: 10 },
  { name: 'profile', words: ['avatar', 'settings', 'nickname', 'address'], adds: -6 },
  { name: 'mail', words: ['template', 'newsletter', 'bounce', 'digest'], adds: 0 },
  { name: 'pages', words: ['footer', 'banner', 'landing', 'button'], adds: -14 },
] as const;

const kinds = [
  { verbs: ['Fix the wrong', 'Fix a crash of the'], label: 'bug', base: 30 },
  { verbs: ['Add a new', 'Support another'], label: 'feature', base: 44 },
  { verbs: ['Rewrite the', 'Refactor the'], label: 'refactor', base: 52 },
  { verbs: ['Correct a typo in the', 'Describe the'], label: 'docs', base: 12 },
] as const;

function madeUp(random: Random): Past {
  const pick = <Item>(all: readonly Item[]): Item => all[Math.floor(random() * all.length)]!;
  const [area, kind] = [pick(areas), pick(kinds)];
  const things = 1 + Math.floor(5 * random() ** 2);
  const chance = 9 * (random() + random() + random() + random() - 2);
  const effort = Math.min(100, Math.max(0, kind.base + area.adds + 7 * (things - 1) + chance));
  const isTerse = random() < 1 / 3;
  const parts = Array.from(
    { length: things },
    () => `- the ${pick(area.words)} in src/${area.name}/${pick(area.words)}.ts`,
  );
  return {
    title: `${pick(kind.verbs)} ${pick(area.words)}`,
    description: isTerse ? '' : `What is asked for:\n${parts.join('\n')}`,
    labels: random() < 1 / 2 ? [kind.label] : [],
    effort,
  };
}
