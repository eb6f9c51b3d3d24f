import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Embedding, Embeddings } from '@workledger/shared/embeddings/port.ts';

/** An index of pgvector takes no more. */
const MOST_DIMENSIONS = 2_000;
const A_PAGE = 1_000;

/**
 * Where the server has pgvector, vectors stand in a column of its type, too, with an index of this model's; queries then compare there.
 * No migration: a server may get the extension later, and lose nothing until then.
 */
export async function preparePgvector(pool: Pool, { model, dimensions }: Embeddings): Promise<void> {
  if (dimensions > MOST_DIMENSIONS || !(await isAvailable(pool))) return;
  await pool.query('create extension if not exists vector');
  await pool.query('alter table read_models.knowledge_embeddings add column if not exists meaning vector');
  const name = `knowledge_meaning_${createHash('sha256').update(model).digest('hex').slice(0, 16)}`;
  await pool.query(
    `create index if not exists ${name} on read_models.knowledge_embeddings
     using hnsw ((meaning::vector(${dimensions})) vector_cosine_ops) where model = '${model.replaceAll("'", "''")}'`,
  );
  while (await fillIn(pool, model));
}

/** @throws the server's refusal where this user may not make it: the extension is then made by who may */
const isAvailable = async (pool: Pool): Promise<boolean> =>
  (await pool.query(`select from pg_available_extensions where name = 'vector'`)).rows.length > 0;

/** Of what was computed before the column was there. @returns whether there may be more */
async function fillIn(pool: Pool, model: string): Promise<boolean> {
  const { rows } = await pool.query<{ id: string; vector: Buffer; scale: number }>(
    `select entry_id as id, vector, scale from read_models.knowledge_embeddings
     where model = $1 and meaning is null limit ${A_PAGE}`,
    [model],
  );
  const found = rows.map(({ vector, scale }) => ({ vector: new Int8Array(vector), scale }));
  const client = await pool.connect();
  try {
    await withMeaning(
      client,
      model,
      rows.map(({ id }) => id),
      found,
    );
  } finally {
    client.release();
  }
  return rows.length === A_PAGE;
}

/** Writes the vectors in pgvector's type, where the column is there. */
export async function withMeaning(
  client: PoolClient,
  model: string,
  ids: readonly string[],
  found: readonly Embedding[],
): Promise<void> {
  const { rows } = await client.query(
    `select from pg_attribute where attrelid = 'read_models.knowledge_embeddings'::regclass and attname = 'meaning' and not attisdropped`,
  );
  if (rows.length === 0) return;
  await client.query(
    `update read_models.knowledge_embeddings e set meaning = found.meaning::vector
     from unnest($2::text[], $3::text[]) as found (id, meaning) where e.model = $1 and e.entry_id = found.id`,
    [model, ids, found.map(({ vector, scale }) => `[${Array.from(vector, (part) => part * scale).join(',')}]`)],
  );
}
