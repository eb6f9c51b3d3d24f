import type { Pool } from 'pg';
import { partitionKey, type BusBatch, type Consumer, type Offset } from '@workledger/shared/event-bus/port.ts';
import { applyBatch } from './apply-batch.ts';
import type { Applied } from './apply-events.ts';
import type { EngineLogger } from './logger.ts';
import { follows, type Projection } from './projection.ts';
import { createSkipping } from './skipping.ts';
import { storedProgress } from './stored-progress.ts';
import type { Tables } from './tables.ts';

export type HandlingOptions = {
  readonly projection: Projection;
  readonly tables: Tables;
  readonly pool: Pool;
  readonly logger: EngineLogger;
  readonly onApplied: (applied: Applied) => void;
  /** Called when the partitions have no progress any more: another worker went back to the log. */
  readonly onReturnedToLog: () => void;
};

export type Handling = {
  readonly consumer: Consumer;
  /** Where the partitions stood when this worker last knew. */
  readonly known: ReadonlyMap<string, Offset>;
};

/** A projection as a consumer of the bus: applies each batch, and goes to where the progress stands when that is elsewhere. */
export function handleBatches(options: HandlingOptions): Handling {
  const { projection, tables, pool, logger } = options;
  const skipping = createSkipping();
  const known = new Map<string, Offset>();

  async function handle(batch: BusBatch): Promise<Offset> {
    const counts = batch.events.some((event) => follows(projection, event));
    if (!counts && skipping.skip(batch)) return batch.next;
    const stretch = { ...batch, from: skipping.from(batch) };
    // What fails is told by the bus, which brings the batch again.
    const applied = await applyBatch(pool, tables, projection, stretch, batch.events);
    skipping.forget(batch);
    if (applied === null) return seek(batch);
    known.set(partitionKey(batch), batch.next);
    options.onApplied(applied);
    return batch.next;
  }

  async function seek(batch: BusBatch): Promise<Offset> {
    const stored = (await storedProgress(pool, tables, projection)).get(partitionKey(batch));
    const partition = partitionKey(batch);
    if (stored === undefined) {
      options.onReturnedToLog();
      throw new Error(`projection ${projection.name}: no progress for ${partition}: it catches up from the log again`);
    }
    known.set(partition, stored);
    logger.info(
      { projection: projection.name, partition, from: String(batch.from), to: String(stored) },
      'stale batch dropped',
    );
    return stored;
  }

  async function resume(): Promise<ReadonlyMap<string, Offset>> {
    skipping.forgetAll();
    const stored = await storedProgress(pool, tables, projection);
    known.clear();
    for (const [partition, offset] of stored) known.set(partition, offset);
    return stored;
  }

  return { consumer: { resume, handle }, known };
}
