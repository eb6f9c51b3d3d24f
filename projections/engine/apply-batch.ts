import type { Pool } from 'pg';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { streamType } from '@workledger/shared/events/stream.ts';
import { applyOneByOne, applyTogether, type Applied } from './apply-events.ts';
import { prepare } from './fold-events.ts';
import { moveProgress, type Stretch } from './move-progress.ts';
import type { Projection } from './projection.ts';
import type { Tables } from './tables.ts';
import { inTransaction, isDataError } from './transaction.ts';

/**
 * Applies one stretch of events in one transaction: progress, continuity, rows, all or nothing.
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
  const followed = new Set(projection.streams);
  const events = recorded
    .filter((event) => followed.has(streamType(event.stream)))
    .map((event) => prepare(projection, event));

  const applyBy = (apply: typeof applyTogether): Promise<Applied | null> =>
    inTransaction(pool, async (client) =>
      (await moveProgress(client, tables, projection, stretch)) ? apply(client, tables, projection, events) : null,
    );

  try {
    return await applyBy(applyTogether);
  } catch (error) {
    if (!isDataError(error)) throw error;
    return applyBy(applyOneByOne);
  }
}
