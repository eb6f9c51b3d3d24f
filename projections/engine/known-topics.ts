import type { Pool } from 'pg';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { topicsOf, type Projection } from './projection.ts';
import type { Tables } from './tables.ts';

/** The ids of the topics that the progress is about. What it does not know yet, it takes from the bus. */
export async function knownTopics(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  bus: Pick<EventBus, 'topicIds'>,
): Promise<ReadonlyMap<Context, string>> {
  const topics = topicsOf(projection);
  const known = await storedIds(pool, tables, projection);
  const unknown = topics.filter((topic) => !known.has(topic));
  if (unknown.length === 0) return known;
  const ids = await bus.topicIds(unknown);
  await pool.query(
    `insert into ${tables.topics} (projection, version, topic, id)
     select $1, $2, * from unnest($3::text[], $4::text[]) on conflict do nothing`,
    [projection.name, projection.version, [...ids.keys()], [...ids.values()]],
  );
  return storedIds(pool, tables, projection);
}

async function storedIds(
  pool: Pool,
  tables: Tables,
  { name, version }: Projection,
): Promise<ReadonlyMap<Context, string>> {
  const { rows } = await pool.query<{ topic: Context; id: string }>(
    `select topic, id from ${tables.topics} where projection = $1 and version = $2`,
    [name, version],
  );
  return new Map(rows.map(({ topic, id }) => [topic, id]));
}
