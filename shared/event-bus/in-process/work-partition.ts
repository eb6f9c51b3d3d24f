import type { EventLog } from '../../event-log/port.ts';
import { contextOf, streamTypesOf } from '../../events/catalogue.ts';
import { eventSize } from '../../events/event-size.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { partitionOf } from '../partition.ts';
import { PAUSES, type BusBatch, type Consumer, type Offset, type TopicPartition } from '../port.ts';
import { drop, isFarBehindWithoutEvents, type PartitionQueue, replace, seek } from './partition-queue.ts';

const LARGEST_BATCH = 500;

export type PartitionWork = {
  readonly log: EventLog;
  readonly consumer: Consumer;
  readonly signal: AbortSignal;
  /** Position up to which the tail has offered everything. */
  readonly tail: () => bigint;
  /** Called when the queue became shorter. */
  readonly onTaken: () => void;
  readonly onError: (error: unknown, attempt: number) => void;
};

/** Hands a partition's events to the handler, one batch at a time, until the signal aborts. */
export async function workPartition(queue: PartitionQueue, work: PartitionWork): Promise<void> {
  while (!work.signal.aborted) {
    const batch = nextBatch(queue, work.tail());
    if (batch !== null) await hand(batch, queue, work);
    else if (queue.missingFrom !== null) await refillPatiently(queue, work);
    else await queue.wakeUps.next(null, work.signal);
  }
}

function nextBatch(queue: PartitionQueue, tail: bigint): BusBatch | null {
  const { topic, partition, progress: from } = queue;
  if (isFarBehindWithoutEvents(queue, tail))
    return { topic, partition, from, next: tail + 1n, events: [], offsets: [] };
  const events = queue.pending.slice(0, LARGEST_BATCH);
  const last = events.at(-1);
  if (last === undefined) return null;
  return { topic, partition, from, next: last.position + 1n, events, offsets: events.map(({ position }) => position) };
}

async function hand(batch: BusBatch, queue: PartitionQueue, work: PartitionWork): Promise<void> {
  const offset = await handlePatiently(batch, queue, work);
  if (offset === null) return;
  if (offset === batch.next) {
    queue.progress = offset;
    drop(queue, batch.events.length);
  } else seek(queue, offset);
  work.onTaken();
}

/** The same batch again until the handler takes it. @returns null when the signal aborted first */
const handlePatiently = (batch: BusBatch, queue: PartitionQueue, work: PartitionWork): Promise<Offset | null> =>
  keepTrying(
    async () => {
      const offset = await work.consumer.handle(batch);
      queue.failing = false;
      return offset;
    },
    {
      ...PAUSES,
      signal: work.signal,
      onFailed: (error, attempt) => {
        queue.failing = true;
        work.onError(error, attempt);
        work.onTaken();
      },
    },
  );

const refillPatiently = (queue: PartitionQueue, work: PartitionWork): Promise<unknown> =>
  keepTrying(() => refill(work.log, queue, work.tail, work.signal), {
    ...PAUSES,
    signal: work.signal,
    onFailed: work.onError,
  });

const MOST = 500;
const MOST_BYTES = 1024 * 1024;

/**
 * Reads what a partition did not keep. When it comes to where the tail is, the tail's next event follows without a gap.
 * @param tail position up to which the tail has offered everything
 */
async function refill(log: EventLog, queue: PartitionQueue, tail: () => bigint, signal: AbortSignal): Promise<void> {
  const from = queue.missingFrom;
  if (from === null) return;
  const until = tail();
  const events: RecordedEvent[] = [];
  let bytes = 0;
  let isFull = false;
  if (from <= until) {
    const range = { after: from > 0n ? from - 1n : 0n, until, streams: streamTypesOf(queue.topic) };
    for await (const event of log.readAll(range)) {
      if (signal.aborted) return;
      if (!isIn(queue, event)) continue;
      events.push(event);
      bytes += eventSize(event);
      isFull = events.length === MOST || bytes >= MOST_BYTES;
      if (isFull) break;
    }
  }
  replace(queue, events);
  const last = isFull ? events.at(-1) : undefined;
  if (last !== undefined) queue.missingFrom = last.position + 1n;
  else queue.missingFrom = until >= tail() ? null : until + 1n;
}

/** Whether an event belongs to a partition of a topic. */
const isIn = ({ topic, partition }: TopicPartition, event: RecordedEvent): boolean =>
  contextOf(event.stream) === topic && partitionOf(event.stream) === partition;
