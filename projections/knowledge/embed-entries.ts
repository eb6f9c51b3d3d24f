import type { Pool } from 'pg';
import { embeddedText } from '@workledger/shared/contexts/agent/knowledge/embedded-text.ts';
import { EmbeddingsFailed, type Embedding, type Embeddings } from '@workledger/shared/embeddings/port.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import { preparePgvector, withMeaning } from './pgvector.ts';

export type EmbedOptions = {
  readonly pool: Pool;
  readonly embeddings: Embeddings;
  readonly signal: AbortSignal;
  /** Milliseconds between two looks when there was nothing to do; default 500. */
  readonly lookEvery?: number;
  /** Milliseconds between two looks, when there is nothing to do, for what has no embedding of this model; default 60,000. */
  readonly searchEvery?: number;
  /** What keeps it from working; null: it works again. */
  readonly onProblem?: (told: string | null) => void;
};

const LOOK_EVERY = 500;
const SEARCH_EVERY = 60_000;
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 60_000;

/**
 * Computes what entries mean, after they were projected, until the signal aborts. What is to do stands in a table, so nothing is lost
 * with a process, and several share the work. A failing endpoint is tried again after pauses; a text that it refuses, by itself.
 */
export async function embedEntries({
  pool,
  embeddings,
  signal,
  lookEvery = LOOK_EVERY,
  searchEvery = SEARCH_EVERY,
  onProblem,
}: EmbedOptions): Promise<void> {
  let isPrepared = false;
  let searchedAt = -Infinity;
  for (let failures = 0; !signal.aborted;) {
    try {
      if (!isPrepared) await preparePgvector(pool, embeddings).catch(unlessForbidden);
      isPrepared = true;
      const done = await embedBatch(pool, embeddings, signal);
      if (failures > 0) onProblem?.(null);
      failures = 0;
      if (done > 0) continue;
      // Also later on: while models change, a process of the one before may have taken what this one was to do.
      if (performance.now() - searchedAt >= searchEvery) {
        await enqueueOtherModels(pool, embeddings.model);
        searchedAt = performance.now();
      } else await pause(lookEvery, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (failures === 0) onProblem?.(`entries are not embedded: ${(error as Error).message}`);
      await pause(Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(failures, 10)), signal);
      failures += 1;
    }
  }
}

/** Who may not make the extension, or its column, goes on without. */
function unlessForbidden(error: Error & { readonly code?: string }): void {
  if (error.code !== '42501') throw error;
}

/** Entries without an embedding of this model are to get one: another model was configured, or none was before. */
const enqueueOtherModels = (pool: Pool, model: string): Promise<unknown> =>
  pool.query(
    `insert into read_models.knowledge_to_embed (entry_id)
     select id from read_models.knowledge k where not exists (
       select from read_models.knowledge_embeddings e where e.entry_id = k.id and e.model = $1 and e.digest = k.digest
     ) order by id on conflict do nothing`,
    [model],
  );

type Wanted = {
  readonly id: string;
  readonly digest: string;
  readonly title: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly attempts: number;
};

/** How long a process has what it took: one that was killed gives it back so. */
const LEASE = '2 minutes';

const TAKE = `
with taken as (
  update read_models.knowledge_to_embed t set due_at = clock_timestamp() + interval '${LEASE}', attempts = t.attempts + 1
  where entry_id in (
    select entry_id from read_models.knowledge_to_embed where due_at <= clock_timestamp()
    order by due_at limit $1 for update skip locked
  ) returning t.entry_id, t.attempts
)
select k.id, k.digest, k.title, k.content, k.tags, taken.attempts from taken join read_models.knowledge k on k.id = taken.entry_id`;

/** @returns how many were taken */
async function embedBatch(pool: Pool, embeddings: Embeddings, signal: AbortSignal): Promise<number> {
  const { rows } = await pool.query<Wanted>(TAKE, [embeddings.batch]);
  if (rows.length === 0) return 0;
  try {
    await write(pool, embeddings, rows, await embeddings.embed(rows.map(embeddedText), { signal }));
  } catch (error) {
    if (!(error instanceof EmbeddingsFailed && error.ofText)) {
      // Nobody has them now: the pause is the endpoint's, not theirs.
      await giveBack(pool, rows);
      throw error;
    }
    await embedEach(pool, embeddings, rows, signal);
  }
  return rows.length;
}

/** One of them is refused: the others are not to wait for it. */
async function embedEach(
  pool: Pool,
  embeddings: Embeddings,
  rows: readonly Wanted[],
  signal: AbortSignal,
): Promise<void> {
  for (const [place, row] of rows.entries())
    try {
      await write(pool, embeddings, [row], await embeddings.embed([embeddedText(row)], { signal }));
    } catch (error) {
      if (error instanceof EmbeddingsFailed && error.ofText) await postpone(pool, row);
      else {
        await giveBack(pool, rows.slice(place));
        throw error;
      }
    }
}

const giveBack = (pool: Pool, rows: readonly Wanted[]): Promise<unknown> =>
  pool.query(
    `update read_models.knowledge_to_embed set due_at = clock_timestamp(), attempts = greatest(0, attempts - 1)
     where entry_id = any ($1::text[])`,
    [rows.map(({ id }) => id)],
  );

/** A refused text is tried again after 1, 2, 4 … minutes, once a day at last: the model may be mended, or the text. */
const postpone = (pool: Pool, { id, attempts }: Wanted): Promise<unknown> =>
  pool.query(
    `update read_models.knowledge_to_embed set due_at = clock_timestamp() + make_interval(mins => $2) where entry_id = $1`,
    [id, Math.min(1_440, 2 ** Math.min(attempts - 1, 11))],
  );

/** Any number will do, as long as it never changes. */
const IN_ORDER = 7_216_054_318_212_072n;

/** Under one lock, so that numbers are committed in their order. What was rewritten meanwhile stays to be done. */
async function write(
  pool: Pool,
  { model }: Embeddings,
  rows: readonly Wanted[],
  found: readonly Embedding[],
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock($1)', [IN_ORDER]);
    await client.query(
      `insert into read_models.knowledge_embeddings as known (entry_id, model, digest, number, vector, scale)
       select id, $1, digest, nextval('read_models.knowledge_embeddings_number'), vector, scale
       from unnest($2::text[], $3::text[], $4::bytea[], $5::real[]) as found (id, digest, vector, scale)
       on conflict (entry_id, model) do update set
         digest = excluded.digest, number = excluded.number, vector = excluded.vector, scale = excluded.scale`,
      [
        model,
        rows.map(({ id }) => id),
        rows.map(({ digest }) => digest),
        found.map(({ vector }) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)),
        found.map(({ scale }) => scale),
      ],
    );
    await withMeaning(
      client,
      model,
      rows.map(({ id }) => id),
      found,
    );
    await client.query(
      `delete from read_models.knowledge_to_embed t using unnest($1::text[], $2::text[]) as done (id, digest)
       where t.entry_id = done.id and exists (select from read_models.knowledge k where k.id = done.id and k.digest = done.digest)`,
      [rows.map(({ id }) => id), rows.map(({ digest }) => digest)],
    );
    await client.query('commit');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
