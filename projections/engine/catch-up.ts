import type { Pool } from 'pg';
import { findTurn, placeOf } from '@workledger/shared/consumption/topics.ts';
import type { Waiting } from '@workledger/shared/consumption/waiting.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { eventSize } from '@workledger/shared/events/event-size.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { applyBatch, type Applied } from './apply-batch.ts';
import type { EngineLogger } from './handle-batches.ts';
import { topicsOf, type Target } from './projection.ts';
import {
  beginCatchUp,
  CATCHING_UP,
  CATCHING_UP_KEY,
  finishCatchUp,
  isCaughtUp,
  missingPlaces,
  returnToLog,
  storedProgress,
} from './progress.ts';

export type CatchUpOptions = {
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly logger: EngineLogger;
  readonly signal: AbortSignal;
  readonly onApplied: (applied: Applied) => void;
  readonly waiting: Waiting;
};

/** Events in one transaction while catching up: enough to make its round trips cheap, little enough to stay in memory. */
const BATCH = 1_000;
const BATCH_BYTES = 4 * 1024 * 1024;

/**
 * Brings a read model, in the partitions where it has no place yet, to where the bus ends now: first the bus's end is read (of which
 * topics, before it), then the log's head, so that nothing lies between. Goes on where a run that died has stopped; of two workers each
 * batch is one's.
 * @throws FromTheFuture: what comes before it is applied, and the next try goes on from that batch
 */
export async function catchUp(target: Target, options: CatchUpOptions): Promise<void> {
  const { log, bus, pool, logger, signal } = options;
  const { projection } = target;
  while (!signal.aborted) {
    await beginCatchUp(pool, target);
    const standing = await storedProgress(pool, target);
    if (isCaughtUp(target, standing)) return;
    const missing = missingPlaces(target, standing);
    const from = standing.get(CATCHING_UP_KEY);
    if (from === undefined) {
      const facts = { projection: projection.name, partitions: missing };
      logger.error(facts, 'no progress for these partitions: catching up from the log');
      await returnToLog(pool, target, { missing });
      continue;
    }
    const { topicIds, ends, head } = await findTurn(log, bus, topicsOf(projection), from);
    const counts =
      missing.length < ends.size
        ? (event: RecordedEvent): boolean => missing.includes(placeOf(event))
        : (): boolean => true;
    const reached = await applyLog(target, from, head, counts, options);
    if (reached && (await finishCatchUp(pool, target, head, ends, topicIds))) return;
  }
}

/** @returns false when another worker moved on meanwhile, or the signal aborted. */
async function applyLog(
  target: Target,
  start: bigint,
  head: bigint,
  counts: (event: RecordedEvent) => boolean,
  { log, pool, signal, onApplied, waiting }: CatchUpOptions,
): Promise<boolean> {
  const apply = async (from: bigint, next: bigint, events: readonly RecordedEvent[]): Promise<boolean> => {
    const applied = await applyBatch(pool, [target], { ...CATCHING_UP, from, next }, events);
    if (applied !== null) onApplied(applied);
    return applied !== null;
  };
  const write = async (from: bigint, next: bigint, events: readonly RecordedEvent[]): Promise<boolean> => {
    if (events.length === 0) return apply(from, next, events);
    let isMine = true;
    try {
      await waiting.during(`the log (${target.projection.name})`, events, async (known) => {
        isMine = await apply(from, known.length === events.length ? next : from, known);
        if (!isMine) throw new Error('moved by another worker meanwhile');
      });
    } catch (error) {
      if (isMine) throw error;
    }
    return isMine;
  };

  let from = start;
  let events: RecordedEvent[] = [];
  let bytes = 0;
  // A batch is written while the next one is read.
  let writing = Promise.resolve(true);
  const flush = async (next: bigint): Promise<boolean> => {
    if (!(await writing)) return false;
    writing = write(from, next, events);
    // It is awaited when the next batch is there; until then a failure is not unheard.
    writing.catch(() => undefined);
    from = next;
    events = [];
    bytes = 0;
    return true;
  };

  if (head > start) {
    const range = { ...(start > 0n && { after: start }), until: head, streams: target.projection.streams, signal };
    for await (const event of log.readAll(range)) {
      if (signal.aborted) break;
      if (!counts(event)) continue;
      events.push(event);
      bytes += eventSize(event);
      if ((events.length === BATCH || bytes >= BATCH_BYTES) && !(await flush(event.position))) return false;
    }
  }
  if (signal.aborted) {
    await writing;
    return false;
  }
  return (await flush(head)) && writing;
}
