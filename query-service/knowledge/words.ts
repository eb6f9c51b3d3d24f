import type { Pool } from 'pg';
import { languages, type Language } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import { select, type Sql } from './readers.ts';

/** Words of a question that are looked for. */
const MOST_WORDS = 12;
/** Below it, too much is similar to a word. */
const SHORTEST_MISSPELT = 4;

/**
 * The entries whose words answer a question, the best first: those with all words, then those with all of them if some are misspelt,
 * then those with any. Each word is taken in every language, since nobody says which one a question is in.
 * @param readable which entries may be told of at all
 */
export async function rankByWords(
  pool: Pool,
  question: string,
  {
    readable,
    language,
    limit,
  }: { readonly readable: Sql; readonly language?: Language | undefined; readonly limit: number },
): Promise<readonly string[]> {
  const words = [...new Set(question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])].slice(0, MOST_WORDS);
  if (words.length === 0) return [];
  const similar = await similarWords(pool, words);
  const asked = await lexemes(
    pool,
    [...new Set([...words, ...[...similar.values()].flat()])],
    language ? [language] : languages,
  );
  const oneOf = (some: readonly string[]): string =>
    [...new Set(some.flatMap((word) => asked.get(word)?.forms ?? []))].join(' | ');
  // What is no word in one language may be the only one in another; but it is not demanded.
  const told = words.filter((word) => asked.get(word)?.isStopWord === false);
  const demanded = told.length > 0 ? told : words;
  const allOf = (also: (word: string) => readonly string[]): string =>
    demanded.map((word) => `(${oneOf([word, ...also(word)]) || "'∅'"})`).join(' & ');
  const exact = allOf(() => []);
  const close = allOf((word) => similar.get(word) ?? []);
  const any = oneOf([...words, ...[...similar.values()].flat()]);
  if (any === '') return [];

  const found = await ranked(pool, { matching: close, exact, readable, without: [], limit });
  if (found.length >= limit || (demanded.length === words.length && words.length === 1)) return found;
  const more = await ranked(pool, { matching: any, exact, readable, without: found, limit: limit - found.length });
  return [...found, ...more];
}

type Ranking = {
  readonly matching: string;
  readonly exact: string;
  readonly readable: Sql;
  readonly without: readonly string[];
  readonly limit: number;
};

/** Of what matches so often, words alone tell nothing more. */
const MOST_RANKED = 2_000;
/** Long texts have more words of every kind: 1 divides a rank by the logarithm of the length. */
const BY_LENGTH = 1;

async function ranked(pool: Pool, { matching, exact, readable, without, limit }: Ranking): Promise<string[]> {
  const rows = await select<{ id: string }>(pool, {
    text: `
      select id from (
        select t.id, t.search from read_models.knowledge t
        where t.search @@ ?::tsquery and ${readable.text} and t.id <> all (?::text[]) limit ${MOST_RANKED}
      ) as matching
      order by search @@ ?::tsquery desc, ts_rank(search, ?::tsquery, ${BY_LENGTH}) desc, id
      limit ?`,
    values: [matching, ...readable.values, without, exact, matching, limit],
  });
  return rows.map(({ id }) => id);
}

type Lexemes = { readonly forms: readonly string[]; readonly isStopWord: boolean };

/** Of each word its stems in these languages, as parts of a tsquery. */
async function lexemes(
  pool: Pool,
  words: readonly string[],
  among: readonly Language[],
): Promise<ReadonlyMap<string, Lexemes>> {
  const rows = await select<{ word: string; forms: string[]; isStopWord: boolean }>(pool, {
    text: `
      select word, array_remove(array_agg(distinct form), '') as forms, bool_or(form = '') as "isStopWord"
      from (
        select word, plainto_tsquery(language::regconfig, word)::text as form
        from unnest(?::text[]) as word, unnest(?::text[]) as language
      ) as each group by word`,
    values: [words, among],
  });
  return new Map(rows.map(({ word, ...rest }) => [word, rest]));
}

/** By trigrams first, which an index finds; then by how many letters are wrong. */
const MOST_SIMILAR = 50;
const MOST_MEANT = 12;

/** Words of entries that each word may be a misspelling of. A word alone tells nothing of who wrote it, nor whether anybody may read it. */
async function similarWords(pool: Pool, words: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const long = words.filter((word) => word.length >= SHORTEST_MISSPELT && /^\p{L}+$/u.test(word));
  const rows = await select<{ word: string; similar: string }>(pool, {
    text: `
      select asked.word, known.word as similar from unnest(?::text[]) as asked (word),
        lateral (
          select word from read_models.knowledge_words known where known.word % asked.word and known.word <> asked.word
          order by similarity(known.word, asked.word) desc, word limit ${MOST_SIMILAR}
        ) as known`,
    values: [long],
  });
  const found = new Map<string, string[]>();
  for (const { word, similar } of rows)
    if (
      (found.get(word)?.length ?? 0) < MOST_MEANT &&
      distance(word, similar) <= Math.floor((word.length - 1) / 4) + (word.length > 5 ? 1 : 0)
    )
      found.set(word, [...(found.get(word) ?? []), similar]);
  return found;
}

/** How many letters are wrong, missing, too many, or in the other order. */
export function distance(one: string, other: string): number {
  const [a, b] = [[...one], [...other]];
  let [before, last] = [[] as number[], b.map((_, at) => at).concat(b.length)];
  for (const [row, letter] of a.entries()) {
    const next = [row + 1];
    for (const [column, against] of b.entries()) {
      const change = last[column]! + (letter === against ? 0 : 1);
      const isSwap = row > 0 && column > 0 && letter === b[column - 1] && a[row - 1] === against;
      next.push(
        Math.min(change, last[column + 1]! + 1, next[column]! + 1, isSwap ? before[column - 1]! + 1 : Infinity),
      );
    }
    [before, last] = [last, next];
  }
  return last[b.length]!;
}
