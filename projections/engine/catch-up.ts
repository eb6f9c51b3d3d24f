import type { Pool } from 'pg';
import { findTurn } from '@workledger/shared/consumption/topics.ts';
import type { EventBus } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { applyBatch } from './apply-batch.ts';
import type { Applied } from './apply-events.ts';
import { beginCatchUp, CATCHING_UP, CATCHING_UP_KEY, finishCatchUp } from './catch-up-progress.ts';
import { topicsOf, type Projection } from './projection.ts';
import { storedProgress } from './stored-progress.ts';
import type { Tables } from './tables.ts';

export type CatchUpOptions = {
  readonly projection: Projection;
  readonly tables: Tables;
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  readonly signal: AbortSignal;
  readonly onApplied: (applied: Applied) => void;
};

/** Events in one transaction while catching up: enough to make its round trips cheap, little enough to stay in memory. */
const BATCH = 1_000;

/**
 * Brings a projection that never followed the bus to where the bus ends now: first the bus's end is read (of which topics, before
 * it), then the log's head, so that nothing lies between. Goes on where a run that died has stopped; of two workers each batch is one's.
 */
export async function catchUp(options: CatchUpOptions): Promise<void> {
  const { projection, tables, log, bus, pool, signal } = options;
  while (!signal.aborted) {
    await beginCatchUp(pool, tables, projection);
    const from = (await storedProgress(pool, tables, projection)).get(CATCHING_UP_KEY);
    if (from === undefined) return;
    const { topicIds, ends, head } = await findTurn(log, bus, topicsOf(projection), from);
    const reached = await applyLog(options, from, head);
    if (reached && (await finishCatchUp(pool, tables, projection, head, ends, topicIds))) return;
  }
}

/** @returns false when another worker moved on meanwhile, or the signal aborted. */
async function applyLog(options: CatchUpOptions, start: bigint, head: bigint): Promise<boolean> {
  const { projection, tables, log, pool, signal, onApplied } = options;
  const write = async (from: bigint, next: bigint, events: readonly RecordedEvent[]): Promise<boolean> => {
    const applied = await applyBatch(pool, tables, projection, { ...CATCHING_UP, from, next }, events);
    if (applied !== null) onApplied(applied);
    return applied !== null;
  };

  let from = start;
  let events: RecordedEvent[] = [];
  // A batch is written while the next one is read.
  let writing = Promise.resolve(true);
  const flush = async (next: bigint): Promise<boolean> => {
    if (!(await writing)) return false;
    writing = write(from, next, events);
    // It is awaited when the next batch is there; until then a failure is not unheard.
    writing.catch(() => undefined);
    from = next;
    events = [];
    return true;
  };

  if (head > start) {
    const range = { ...(start > 0n && { after: start }), until: head, streams: projection.streams, signal };
    for await (const event of log.readAll(range)) {
      if (signal.aborted) break;
      events.push(event);
      if (events.length === BATCH && !(await flush(event.position))) return false;
    }
  }
  if (signal.aborted) {
    await writing;
    return false;
  }
  return (await flush(head)) && writing;
}
