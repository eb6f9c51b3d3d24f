import type { Pool } from 'pg';
import { topicsOf, type Projection } from '@workledger/projections/engine/projection.ts';
import { PARTITIONS } from '@workledger/shared/event-bus/port.ts';

/** Empties read models: the next run builds them from the log. */
export async function empty(pool: Pool, projections: readonly Projection[]): Promise<void> {
  const tables = projections.map(({ table, version }) => `read_models.${table}_v${version}`);
  await pool.query(`truncate read_models.progress, read_models.streams, ${tables.join(', ')}`);
}

/** Empties read models so that the next run follows the bus from its start, without a look at the log. */
export async function emptyAtStartOfBus(pool: Pool, projections: readonly Projection[]): Promise<void> {
  await empty(pool, projections);
  for (const projection of projections)
    for (const topic of topicsOf(projection))
      await pool.query(
        `insert into read_models.progress (projection, version, topic, partition, next_offset)
         select $1, $2, $3, partition, 0 from generate_series(0, $4 - 1) as partition`,
        [projection.name, projection.version, topic, PARTITIONS],
      );
}
