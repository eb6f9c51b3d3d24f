import type { CodeIndex } from './code-index.ts';
import { byCompany, byHabit, byPastWork, type History } from './history.ts';
import { byContent, byName, byPath, type Question, type Scores } from './by-words.ts';

type Signal = 'content' | 'path' | 'name' | 'pastWork' | 'habit' | 'company' | 'links';

/** How much each way of looking counts, each brought to at most one first. Found by `npm run bench:context` with other draws than it reports. */
const WEIGHTS: Readonly<Record<Signal, number>> = {
  content: 1.4,
  path: 1,
  name: 0.8,
  pastWork: 0.9,
  habit: 0.2,
  company: 0.5,
  links: 0.7,
};

/** Files that the second look begins from. */
const SEEDS = 20;

export type Ranked = { readonly place: number; readonly score: number };

/**
 * Files by how much they matter for a question, the most first. First by what each says itself and by what was done before under such
 * words; then what stands or changes together with those found.
 */
export function rank(
  question: Question,
  index: CodeIndex,
  history: History,
  { most = 200 }: { readonly most?: number } = {},
): Ranked[] {
  const first: Partial<Record<Signal, Scores>> = {
    content: byContent(question, index),
    path: byPath(question, index),
    name: byName(question, index),
    pastWork: byPastWork(question, index, history),
  };
  const seeds = only(sum(first, index), SEEDS);
  const all = {
    ...first,
    habit: byHabit(index, history),
    company: byCompany(seeds, index, history),
    links: byLinks(seeds, index),
  };
  const total = sum(all, index);
  return best(total, most).map((place) => ({
    place,
    score: total[place] ?? 0,
  }));
}

/** Of each the weight; scores themselves are brought to at most one, in place. */
function sum(signals: Partial<Record<Signal, Scores>>, { files }: CodeIndex): Scores {
  const total = new Float64Array(files.length);
  for (const [signal, scores] of Object.entries(signals) as [Signal, Scores][]) {
    const largest = scores.reduce((most, score) => Math.max(most, score), 0);
    if (largest === 0) continue;
    for (let place = 0; place < scores.length; place++) {
      const part = (scores[place] ?? 0) / largest;
      scores[place] = part;
      total[place] = (total[place] ?? 0) + WEIGHTS[signal] * part;
    }
  }
  return total;
}

/** Places of the highest scores above nothing, the highest first; of equal ones the first. */
function best(scores: Scores, most: number): number[] {
  const places: number[] = [];
  for (let place = 0; place < scores.length; place++) if ((scores[place] ?? 0) > 0) places.push(place);
  return places.sort((one, other) => (scores[other] ?? 0) - (scores[one] ?? 0) || one - other).slice(0, most);
}

function only(scores: Scores, most: number): ReadonlyMap<number, number> {
  return new Map(best(scores, most).map((place) => [place, scores[place] ?? 0]));
}

/** What the seeds import, what imports them, and so for what they speak of. */
function byLinks(seeds: ReadonlyMap<number, number>, { links, files }: CodeIndex): Scores {
  const scores = new Float64Array(files.length);
  for (const [seed, score] of seeds) {
    const { to, weight } = links[seed] ?? { to: [], weight: [] };
    for (let at = 0; at < to.length; at++) {
      const other = to[at] ?? 0;
      // What everything has to do with has little to do with this.
      const reach = Math.sqrt(links[other]?.to.length ?? 1) * Math.sqrt(to.length);
      scores[other] = (scores[other] ?? 0) + (score * (weight[at] ?? 0)) / reach;
    }
  }
  return scores;
}
