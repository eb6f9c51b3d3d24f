import type { Knex } from 'knex';
import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

export const pluginTables = {
  name: '0009-plugins',
  up: (knex: Knex) =>
    knex.raw(`
      -- events that a handler failed at too often: tried again at each start
      create table sagas.plugin_failures (
        handler text not null,
        event_id text not null,
        stream text not null,
        revision integer not null,
        reason text not null,
        failed_at timestamptz not null default clock_timestamp(),
        primary key (handler, event_id)
      );
    `),
};

const MOST_AGAIN = 1_000;
const LONGEST_REASON = 2_000;

/** What one handler of a plugin could not do. */
export type SetAside = {
  add(event: Pick<RecordedEvent, 'id' | 'stream' | 'revision'>, reason: string): Promise<void>;
  /** The oldest. */
  list(): Promise<readonly Pick<RecordedEvent, 'id' | 'stream' | 'revision'>[]>;
  remove(eventId: string): Promise<void>;
};

export const createSetAside = (pool: Pool, handler: string): SetAside => ({
  add: async ({ id, stream, revision }, reason) =>
    void (await pool.query(
      `insert into sagas.plugin_failures (handler, event_id, stream, revision, reason) values ($1, $2, $3, $4, $5)
       on conflict (handler, event_id) do update set reason = excluded.reason, failed_at = clock_timestamp()`,
      [handler, id, stream, revision, reason.slice(0, LONGEST_REASON)],
    )),
  list: async () => {
    const { rows } = await pool.query<{ id: string; stream: string; revision: number }>(
      `select event_id as id, stream, revision from sagas.plugin_failures where handler = $1 order by failed_at limit ${MOST_AGAIN}`,
      [handler],
    );
    return rows;
  },
  remove: async (eventId) =>
    void (await pool.query('delete from sagas.plugin_failures where handler = $1 and event_id = $2', [
      handler,
      eventId,
    ])),
});
