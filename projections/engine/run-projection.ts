import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { OffsetOutOfRange, partitionKey, type EventBus, type Offset } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Applied } from './apply-events.ts';
import { returnToLog } from './catch-up-progress.ts';
import { catchUp } from './catch-up.ts';
import { handleBatches } from './handle-batches.ts';
import type { EngineLogger } from './logger.ts';
import { topicsOf, type Projection } from './projection.ts';
import { tablesOf } from './tables.ts';

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
 * Keeps a read model up to date until the signal aborts: catches up from the log when it is new, then follows the bus; back
 * to the log when the bus does not have what comes next. Every batch is one statement; a database that goes away is waited for.
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
  const { projection, log, bus, pool, logger } = options;
  const tables = tablesOf(projection, options.schema);
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);

  const onApplied = ({ parked, applied }: Applied): void => {
    progressed();
    for (const mark of parked)
      logger.error(
        { projection: projection.name, version: projection.version, ...mark },
        'stream parked: its later events wait in the log',
      );
    if (applied > 0 || parked.length > 0) options.onApplied?.();
  };

  await catchUp({ projection, tables, log, bus, pool, signal, onApplied });
  if (signal.aborted) return;
  const handling = { projection, tables, pool, logger, onApplied, onReturnedToLog: () => leaving.abort() };
  const { consumer, known } = handleBatches(handling);
  try {
    const group = `projection-${projection.name}-v${projection.version}`;
    await bus.consume({ group, topics: topicsOf(projection), signal }, consumer);
  } catch (error) {
    // Of several workers that meet it one returns; the others find that it has.
    if (error instanceof OffsetOutOfRange) await returnToLog(pool, tables, projection, knownOf(error, known));
    throw error;
  }
}

const knownOf = ({ partitions }: OffsetOutOfRange, known: ReadonlyMap<string, Offset>): Map<string, Offset> =>
  new Map(partitions.map(partitionKey).flatMap((key) => [...known].filter(([place]) => place === key)));
