import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { partitionKey, type BusBatch, type EventBus, type Offset } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { applyBatch } from './apply-batch.ts';
import type { Applied } from './apply-events.ts';
import { catchUp } from './catch-up.ts';
import { topicsOf, type Projection } from './projection.ts';
import { storedProgress } from './stored-progress.ts';
import { tablesOf } from './tables.ts';

/** What the engine tells its operator. pino fits. */
export type EngineLogger = {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
};

export type RunOptions = {
  readonly projection: Projection;
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  /** Ends it after the batch in flight. */
  readonly signal: AbortSignal;
  readonly logger: EngineLogger;
  /** Called after each commit that changed something: a hint for those who wait. */
  readonly onApplied?: () => void;
  /** Schema of the tables; default: the live ones. */
  readonly schema?: string;
};

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Keeps a read model up to date until the signal aborts: catches up from the log when it is new, then follows the bus. Every
 * batch is one transaction; a database that goes away is waited for.
 */
export async function runProjection(options: RunOptions): Promise<void> {
  const { projection, signal, logger } = options;
  let wait = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    try {
      await follow(options, () => {
        wait = FIRST_PAUSE_MS;
      });
    } catch (error) {
      if (signal.aborted) return;
      logger.error(
        { err: error, projection: projection.name, retryInMs: wait },
        'projection stopped: starting it again',
      );
      await pause(wait, undefined, { signal }).catch(() => undefined);
      wait = Math.min(wait * 2, LONGEST_PAUSE_MS);
    }
  }
}

async function follow(options: RunOptions, progressed: () => void): Promise<void> {
  const { projection, log, bus, pool, signal, logger } = options;
  const tables = tablesOf(projection, options.schema);

  const onApplied = ({ parked, applied }: Applied): void => {
    progressed();
    for (const mark of parked)
      logger.error(
        { projection: projection.name, version: projection.version, ...mark },
        'stream parked: its later events wait in the log',
      );
    if (applied > 0 || parked.length > 0) options.onApplied?.();
  };

  async function handle(batch: BusBatch): Promise<Offset> {
    try {
      const applied = await applyBatch(pool, tables, projection, batch, batch.events);
      if (applied === null) return await seek(batch);
      onApplied(applied);
      return batch.next;
    } catch (error) {
      logger.error(
        { err: error, projection: projection.name, partition: partitionKey(batch) },
        'batch failed: it comes again',
      );
      throw error;
    }
  }

  async function seek(batch: BusBatch): Promise<Offset> {
    const stored = (await storedProgress(pool, tables, projection)).get(partitionKey(batch));
    if (stored === undefined) throw new Error(`projection ${projection.name}: no progress for ${partitionKey(batch)}`);
    logger.info(
      { projection: projection.name, partition: partitionKey(batch), from: String(batch.from), to: String(stored) },
      'stale batch dropped',
    );
    return stored;
  }

  await catchUp({ projection, tables, log, bus, pool, signal, onApplied });
  if (signal.aborted) return;
  await bus.consume(
    { group: `projection-${projection.name}-v${projection.version}`, topics: topicsOf(projection), signal },
    { resume: () => storedProgress(pool, tables, projection), handle },
  );
}
