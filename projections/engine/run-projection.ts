import type { Pool } from 'pg';
import { keepFollowing } from '@workledger/shared/consumption/keep-following.ts';
import { knownTopics } from '@workledger/shared/consumption/topics.ts';
import {
  OffsetOutOfRange,
  PARTITIONS,
  partitionKey,
  type EventBus,
  type Offset,
} from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import type { Applied } from './apply-events.ts';
import { returnToLog } from './catch-up-progress.ts';
import { catchUp } from './catch-up.ts';
import { handleBatches } from './handle-batches.ts';
import { createKnownTopics } from './known-topics.ts';
import type { EngineLogger } from './logger.ts';
import { topicsOf, type Projection } from './projection.ts';
import { storedProgress } from './stored-progress.ts';
import { tablesOf, type Tables } from './tables.ts';

export type RunOptions = {
  readonly projection: Projection;
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  /** Ends it after the batch in flight. */
  readonly signal: AbortSignal;
  readonly logger: EngineLogger;
  /** The process's own: what it knows as an outage is not told here. */
  readonly outages?: Outages;
  /** Called after each commit that changed something: a hint for those who wait. */
  readonly onApplied?: () => void;
  /** Schema of the tables; default: the live ones. */
  readonly schema?: string;
};

/**
 * Keeps a read model up to date until the signal aborts: catches up from the log when it is new, then follows the bus; back
 * to the log when the bus does not have what comes next. Every batch is one statement; a database that goes away is waited for.
 */
export async function runProjection(options: RunOptions): Promise<void> {
  const { projection, signal, logger, outages } = options;
  await keepFollowing((progressed) => follow(options, progressed), {
    signal,
    outages,
    onFailed: (err, retryInMs) =>
      logger.error({ err, projection: projection.name, retryInMs }, 'projection stopped: starting it again'),
  });
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
  const topics = topicsOf(projection);
  const topicIds = await knownTopics(topics, createKnownTopics(pool, tables, projection), bus);
  const missing = await partitionsWithoutProgress(pool, tables, projection);
  if (missing.length > 0) {
    logger.error(
      { projection: projection.name, partitions: missing },
      'no progress for these partitions: catching up from the log',
    );
    await returnToLog(pool, tables, projection, new Map(), missing);
    return;
  }
  const handling = { projection, tables, pool, logger, onApplied, onReturnedToLog: () => leaving.abort() };
  const { consumer, known } = handleBatches(handling);
  try {
    const group = `projection-${projection.name}-v${projection.version}`;
    await bus.consume({ group, topics, topicIds, signal }, consumer);
  } catch (error) {
    // Of several workers that meet it one returns; the others find that it has.
    if (error instanceof OffsetOutOfRange) {
      const lost = error.partitions.map(partitionKey);
      await returnToLog(pool, tables, projection, knownOf(lost, known), lost);
    }
    throw error;
  }
}

const knownOf = (lost: readonly string[], known: ReadonlyMap<string, Offset>): Map<string, Offset> =>
  new Map([...known].filter(([place]) => lost.includes(place)));

/** Of topics that the projection has begun to follow under the same version. */
async function partitionsWithoutProgress(pool: Pool, tables: Tables, projection: Projection): Promise<string[]> {
  const stored = await storedProgress(pool, tables, projection);
  return topicsOf(projection)
    .flatMap((topic) => Array.from({ length: PARTITIONS }, (_, partition) => partitionKey({ topic, partition })))
    .filter((place) => !stored.has(place));
}
