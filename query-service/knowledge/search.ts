import type { Pool } from 'pg';
import type { Language } from '@workledger/shared/contexts/agent/knowledge/events.ts';
import { EmbeddingsFailed, type Embedding, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { createNearest, type Near, type Nearest } from './nearest.ts';
import type { Sql } from './readers.ts';
import { fused, type Ranked } from './ranking.ts';
import type { UsesOf } from './uses.ts';
import { rankByWords } from './words.ts';

/** By what a search ranked: without an endpoint, or while it does not answer, by words alone. */
export const rankings = ['words', 'words and meaning'] as const;
export type Ranking = (typeof rankings)[number];

export type Search = {
  /** The best answers to a question, of those that are readable. */
  (
    question: string,
    asked: {
      readonly readable: Sql;
      readonly language?: Language | undefined;
      readonly limit: number;
      readonly signal: AbortSignal;
    },
  ): Promise<{
    readonly ranking: Ranking;
    readonly found: readonly Ranked[];
  }>;
  /** The nearest to an entry in meaning, without itself; none where nothing is known of its meaning. */
  nearTo(entryId: string, readable: Sql, limit: number): Promise<readonly Near[]>;
};

type SearchOptions = {
  readonly pool: Pool;
  readonly embeddings: Embeddings | null;
  readonly usesOf: UsesOf;
  /** Milliseconds that the endpoint has for a question. */
  readonly patience: number;
};

/** Of each ranking so many are united. */
const DEPTH = 100;
/** What is this much farther than the best has another meaning. Models differ in how near things are, not much in this. */
const FARTHER = 0.25;

export function createSearch({ pool, embeddings, usesOf, patience }: SearchOptions): Search {
  const nearest = embeddings === null ? null : createNearest(pool, embeddings);

  async function rankByMeaning(
    question: string,
    readable: Sql,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    if (embeddings === null || nearest === null) return null;
    try {
      const [query] = await embeddings.embed([question], { signal, timeoutMs: patience });
      return query === undefined ? null : meant(await nearest(query, readable, DEPTH));
    } catch (error) {
      if (error instanceof EmbeddingsFailed) return null;
      throw error;
    }
  }

  const search = async (
    question: string,
    { readable, language, limit, signal }: Parameters<Search>[1],
  ): ReturnType<Search> => {
    const [byWords, byMeaning] = await Promise.all([
      rankByWords(pool, question, { readable, language, limit: DEPTH }),
      rankByMeaning(question, readable, signal),
    ]);
    const uses = await usesOf([...new Set([...byWords, ...(byMeaning ?? [])])]);
    return {
      ranking: byMeaning === null ? 'words' : 'words and meaning',
      found: fused([byWords, byMeaning ?? []], uses).slice(0, limit),
    };
  };
  return Object.assign(search, {
    nearTo: async (entryId: string, readable: Sql, limit: number): Promise<readonly Near[]> => {
      const own = embeddings === null ? null : await embeddingOf(pool, entryId, embeddings.model);
      if (own === null || nearest === null) return [];
      return near(await nearest(own, readable, limit + 1), entryId, limit);
    },
  });
}

const meant = (found: Awaited<ReturnType<Nearest>>): readonly string[] =>
  found.filter(({ similarity }) => similarity >= (found[0]?.similarity ?? 0) - FARTHER).map(({ id }) => id);

/** Of entries that are like it at all. */
const LIKE = 0.3;
const near = (found: readonly Near[], entryId: string, limit: number): readonly Near[] =>
  found.filter(({ id, similarity }) => id !== entryId && similarity >= LIKE).slice(0, limit);

async function embeddingOf(pool: Pool, entryId: string, model: string): Promise<Embedding | null> {
  const { rows } = await pool.query<{ vector: Buffer; scale: number }>(
    'select vector, scale from read_models.knowledge_embeddings where entry_id = $1 and model = $2',
    [entryId, model],
  );
  const [row] = rows;
  return row === undefined ? null : { vector: new Int8Array(row.vector), scale: row.scale };
}
