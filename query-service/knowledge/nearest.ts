import type { Pool } from 'pg';
import type { Embedding, Embeddings } from '@workledger/shared/embeddings/port.ts';
import { startNearestWorker, type NearestWorker } from './nearest-worker.ts';
import { select, type Sql } from './readers.ts';

export type Near = { readonly id: string; readonly similarity: number };

/** Which entries are nearest in meaning, of those that are readable. */
export type Nearest = (query: Embedding, readable: Sql, limit: number) => Promise<readonly Near[]>;

type Model = Pick<Embeddings, 'model' | 'dimensions'>;

/** By pgvector where the embeddings are in its type, else in a thread of this process, which loads them at the first question. */
export function createNearest(pool: Pool, model: Model): Nearest {
  const inProcess = createInProcess(pool, model);
  let isThere: boolean | null = null;
  return async (query, readable, limit) => {
    isThere ??= await hasPgvector(pool);
    return isThere ? nearestByPgvector(pool, model, { query, readable, limit }) : inProcess(query, readable, limit);
  };
}

const hasPgvector = async (pool: Pool): Promise<boolean> =>
  (
    await pool.query(
      `select from pg_attribute where attrelid = to_regclass('read_models.knowledge_embeddings') and attname = 'meaning' and not attisdropped`,
    )
  ).rows.length > 0;

type Question = { readonly query: Embedding; readonly readable: Sql; readonly limit: number };

/** Scans on until enough are readable: the index itself knows nothing of readers. */
async function nearestByPgvector(
  pool: Pool,
  { model, dimensions }: Model,
  { query, readable, limit }: Question,
): Promise<Near[]> {
  const vector = `[${Array.from(query.vector, (part) => part * query.scale).join(',')}]`;
  const distance = `e.meaning::vector(${dimensions}) <=> asked.vector`;
  const client = await pool.connect();
  try {
    await client.query('begin read only');
    await client.query(`select set_config('hnsw.iterative_scan', 'strict_order', true)`);
    const found = await select<Near>(client, {
      text: `
        select t.id, 1 - (${distance}) as similarity
        from (select ?::vector(${dimensions}) as vector) as asked, read_models.knowledge_embeddings e
        join read_models.knowledge t on t.id = e.entry_id
        where e.model = '${model.replaceAll("'", "''").replaceAll('?', '\\?')}' and ${readable.text}
        order by ${distance} limit ?`,
      values: [vector, ...readable.values, limit],
    });
    await client.query('commit');
    client.release();
    return found;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** The nearest of all are found, and the readable ones of them taken. Where these are too few, and no more are readable than this, those alone are compared. */
const MOST_NAMED = 4_000;
const MORE_EACH_TIME = 8;

function createInProcess(pool: Pool, model: Model): Nearest {
  const load = createLoader(pool, model);
  return async (query, readable, limit) => {
    const worker = await load();
    for (let count = limit * 4; ; count *= MORE_EACH_TIME) {
      const found = pairs(await worker.nearest(query, count, null));
      const values = [...readable.values, found.map(({ id }) => id)];
      const allowed = new Set(
        await idsOf(pool, { text: `${readable.text} and t.id = any (?::text[])`, values }, count),
      );
      const kept = found.filter(({ id }) => allowed.has(id)).slice(0, limit);
      if (kept.length >= limit || found.length < count) return kept;
      if (count > limit * 4) continue;
      const named = await idsOf(pool, readable, MOST_NAMED + 1);
      if (named.length <= MOST_NAMED) return pairs(await worker.nearest(query, limit, named));
    }
  };
}

const pairs = ({ ids, similarities }: Awaited<ReturnType<NearestWorker['nearest']>>): Near[] =>
  ids.map((id, place) => ({ id, similarity: similarities[place] ?? 0 }));

const idsOf = async (pool: Pool, { text, values }: Sql, limit: number): Promise<string[]> =>
  (
    await select<{ id: string }>(pool, {
      text: `select t.id from read_models.knowledge t where ${text} limit ?`,
      values: [...values, limit],
    })
  ).map(({ id }) => id);

/** Embeddings in one message to the thread. */
const A_PAGE = 4_000;

const PAGE = `
select entry_id as id, number, vector, scale from read_models.knowledge_embeddings
where model = $1 and number > $2 order by number limit ${A_PAGE}`;

/** The thread, once it has all that was computed by now: each question reads on from where the one before ended. */
function createLoader(pool: Pool, { model, dimensions }: Model): () => Promise<NearestWorker> {
  let worker: NearestWorker | null = null;
  let read = '0';
  let reading: Promise<NearestWorker> | null = null;

  async function readOn(): Promise<NearestWorker> {
    if (worker === null || worker.hasEnded()) [worker, read] = [startNearestWorker(dimensions), '0'];
    for (;;) {
      const { rows } = await pool.query<{ id: string; number: string; vector: Buffer; scale: number }>(PAGE, [
        model,
        read,
      ]);
      const last = rows.at(-1);
      if (last === undefined) return worker;
      const vectors = new Int8Array(rows.length * dimensions);
      for (const [place, { vector }] of rows.entries()) vectors.set(new Int8Array(vector), place * dimensions);
      await worker.add(
        rows.map(({ id }) => id),
        vectors,
        Float32Array.from(rows, ({ scale }) => scale),
      );
      read = last.number;
      if (rows.length < A_PAGE) return worker;
    }
  }
  return () => {
    reading ??= readOn().finally(() => (reading = null));
    return reading;
  };
}
