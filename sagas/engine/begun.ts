import type { Knex } from 'knex';
import type { Pool } from 'pg';

/** Of consumers that came to a log whose news had been told. */
export const begunTable = {
  name: '0008-begun',
  up: (knex: Knex) =>
    knex.raw(`
      -- position in the log up to which a consumer hears nothing: it was not there, or nobody told it, when that was news
      create table sagas.begun (
        consumer text primary key,
        since bigint not null
      );
      -- where sagas have run before people were told by this one, what was then is old
      insert into sagas.begun (consumer, since)
      select 'saga-replies', max(position) from sagas.progress having max(position) is not null;
    `),
};

/** What was there before is not for it. */
export async function readSince(pool: Pool, consumer: string): Promise<bigint> {
  const { rows } = await pool.query<{ since: string }>('select since from sagas.begun where consumer = $1', [consumer]);
  return BigInt(rows[0]?.since ?? 0);
}

/** Begins here, if it has not begun before. @param head the end of the log @returns where it begins */
export async function beginAt(pool: Pool, consumer: string, head: bigint): Promise<bigint> {
  const insert = 'insert into sagas.begun (consumer, since) values ($1, $2) on conflict do nothing';
  await pool.query(insert, [consumer, head]);
  return readSince(pool, consumer);
}
