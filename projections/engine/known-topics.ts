import type { Pool } from 'pg';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import type { KnownTopics } from '@workledger/shared/consumption/topics.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** Where a projection keeps the ids of the topics that its progress is about. */
export const createKnownTopics = (pool: Pool, tables: Tables, { name, version }: Projection): KnownTopics => ({
  topicIds: async () => {
    const { rows } = await pool.query<{ topic: Context; id: string }>(
      `select topic, id from ${tables.topics} where projection = $1 and version = $2`,
      [name, version],
    );
    return new Map(rows.map(({ topic, id }) => [topic, id]));
  },
  adopt: async (ids) => {
    await pool.query(
      `insert into ${tables.topics} (projection, version, topic, id)
       select $1, $2, * from unnest($3::text[], $4::text[]) on conflict do nothing`,
      [name, version, [...ids.keys()], [...ids.values()]],
    );
  },
});
