import { eventSize, sizeOfEvents } from '../../events/event-size.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { createWakeUps, type WakeUps } from '../../resilience/wake-ups.ts';
import type { Offset, TopicPartition } from '../port.ts';

/** Events that a partition keeps in memory while its handler fails, and their bytes. */
const KEPT_WHILE_FAILING = 500;
const BYTES_WHILE_FAILING = 1024 * 1024;

/** What one consumer has before it in one partition. An event's offset is its position. */
export type PartitionQueue = TopicPartition & {
  /** Where the handler wants to go on. */
  progress: Offset;
  /** Read ahead, in order, at or after `progress`. */
  pending: RecordedEvent[];
  /** Bytes of what is pending, about. */
  bytes: number;
  /** From here on, events were not kept: they are read from the log again when `pending` is used up. */
  missingFrom: Offset | null;
  /** The handler threw, and has not succeeded since. */
  failing: boolean;
  /** End the worker's wait for events. */
  readonly wakeUps: WakeUps;
};

export const createPartitionQueue = (partition: TopicPartition, progress: Offset): PartitionQueue => ({
  ...partition,
  progress,
  pending: [],
  bytes: 0,
  missingFrom: null,
  failing: false,
  wakeUps: createWakeUps(),
});

/** Takes an event from the tail. A failing partition forgets what it cannot keep, so that it never stops the others. */
export function offer(queue: PartitionQueue, event: RecordedEvent): void {
  if (event.position < queue.progress || queue.missingFrom !== null) return;
  const keeps = queue.pending.length < KEPT_WHILE_FAILING && queue.bytes < BYTES_WHILE_FAILING;
  if (queue.failing && !keeps) queue.missingFrom = event.position;
  else {
    queue.pending.push(event);
    queue.bytes += eventSize(event);
  }
  queue.wakeUps.wake();
}

/** A partition without events falls behind by at most so many positions: a restart begins at the one furthest back. */
const LONGEST_IDLE_STRETCH = 10_000n;

/** Whether nothing is left to read in a partition, and its progress should be told nevertheless. */
export const isFarBehindWithoutEvents = (queue: PartitionQueue, tail: bigint): boolean =>
  queue.pending.length === 0 && queue.missingFrom === null && tail - queue.progress >= LONGEST_IDLE_STRETCH;

/** Forgets what the handler has taken. */
export function drop(queue: PartitionQueue, count: number): void {
  queue.bytes -= sizeOfEvents(queue.pending.splice(0, count));
}

/** Takes what was read again in place of what is pending. */
export function replace(queue: PartitionQueue, events: RecordedEvent[]): void {
  queue.pending = events;
  queue.bytes = sizeOfEvents(events);
}

/** Goes on from another offset than the next one; what is there is read again. */
export function seek(queue: PartitionQueue, offset: Offset): void {
  queue.progress = offset;
  replace(queue, []);
  queue.missingFrom = offset;
}
