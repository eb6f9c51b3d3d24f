import type { Pool } from 'pg';
import { partitionKey, type Consumer, type Offset } from '../../port.ts';

/** A consumer that keeps its progress and what it handled in PostgreSQL, as projections do. */
export const storingConsumer = (pool: Pool): Consumer => ({
  resume: async () => {
    const { rows } = await pool.query<{ partition: string; next: string }>('select partition, next from progress');
    return new Map(rows.map(({ partition, next }) => [partition, BigInt(next)]));
  },
  handle: async (batch) => {
    const key = partitionKey(batch);
    const { rows } = await pool.query<{ next: string }>(
      `with moved as (
         update progress set next = $3 where partition = $1 and next = $2 returning next
       ), noted as (
         insert into handled (stream, revision)
         select event.stream, event.revision from moved, json_to_recordset($4) as event (stream text, revision int)
       )
       select next from moved`,
      [key, batch.from, batch.next, JSON.stringify(batch.events.map(({ stream, revision }) => ({ stream, revision })))],
    );
    return rows.length === 1 ? batch.next : storedOffset(pool, key);
  },
});

async function storedOffset(pool: Pool, key: string): Promise<Offset> {
  const { rows } = await pool.query<{ next: string }>('select next from progress where partition = $1', [key]);
  return BigInt(rows[0]?.next ?? 0);
}

/** The tables of `storingConsumer`, with the progress to start from. */
export async function createProgress(pool: Pool, start: ReadonlyMap<string, Offset>): Promise<void> {
  await pool.query('create table progress (partition text primary key, next bigint not null)');
  await pool.query('create table handled (id bigserial primary key, stream text not null, revision int not null)');
  for (const [partition, next] of start) await pool.query('insert into progress values ($1, $2)', [partition, next]);
}

/** The revisions of each stream in the order in which they were handled. */
export async function handledRevisions(pool: Pool): Promise<ReadonlyMap<string, number[]>> {
  const { rows } = await pool.query<{ stream: string; revisions: number[] }>(
    'select stream, array_agg(revision order by id) as revisions from handled group by stream',
  );
  return new Map(rows.map(({ stream, revisions }) => [stream, revisions]));
}
