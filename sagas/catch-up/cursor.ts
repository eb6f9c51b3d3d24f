import type { Knex } from 'knex';
import type { Pool } from 'pg';

/** How far each list of a provider was looked through, and when it is looked at again: shared by all processes of sagas. */
export const catchUpTable = {
  name: '0100-catch-up',
  up: (knex: Knex) =>
    knex.raw(`
      create table sagas.catch_up (
        list text primary key,
        cursor jsonb,
        next_at timestamptz not null default clock_timestamp()
      );
    `),
};

/** Where a list was left; null: it was never looked at. Undefined: another process looks, or did so not long ago. */
export async function takeTurn(pool: Pool, list: string, seconds: number): Promise<unknown> {
  await pool.query('insert into sagas.catch_up (list) values ($1) on conflict do nothing', [list]);
  const { rows } = await pool.query<{ cursor: unknown }>(
    `update sagas.catch_up set next_at = clock_timestamp() + make_interval(secs => $2)
     where list = $1 and next_at <= clock_timestamp() returning cursor`,
    [list, seconds],
  );
  return rows[0] === undefined ? undefined : rows[0].cursor;
}

export const leaveAt = async (pool: Pool, list: string, cursor: object): Promise<void> =>
  void (await pool.query('update sagas.catch_up set cursor = $2 where list = $1', [list, JSON.stringify(cursor)]));
