import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { applyOneByOne, applyTogether, type Applied } from './apply-events.ts';
import { isDataError } from './data-error.ts';
import { prepare } from './fold-events.ts';
import { follows, type Projection } from './projection.ts';
import type { Stretch } from './stretch.ts';
import type { Tables } from './tables.ts';

/**
 * Applies one stretch of events: progress, continuity, rows, all or nothing.
 * @returns null when the caller is stale: the progress stands elsewhere, nothing was written
 * @throws the database's error when it cannot be reached: the same stretch may come again
 */
export async function applyBatch(
  pool: Pool,
  tables: Tables,
  projection: Projection,
  stretch: Stretch,
  recorded: readonly RecordedEvent[],
): Promise<Applied | null> {
  const events = recorded.filter((event) => follows(projection, event)).map((event) => prepare(projection, event));
  try {
    return await applyTogether(pool, tables, projection, stretch, events);
  } catch (error) {
    if (!isDataError(error)) throw error;
    return applyOneByOne(pool, tables, projection, stretch, events);
  }
}
