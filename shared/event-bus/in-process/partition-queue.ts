import type { RecordedEvent } from '../../events/recorded-event.ts';
import { createWakeUps, type WakeUps } from '../../resilience/wake-ups.ts';
import type { Offset, TopicPartition } from '../port.ts';

/** Events that a partition keeps in memory while its handler fails. */
const KEPT_WHILE_FAILING = 500;

/** What one consumer has before it in one partition. An event's offset is its position. */
export type PartitionQueue = TopicPartition & {
  /** Where the handler wants to go on. */
  progress: Offset;
  /** Read ahead, in order, at or after `progress`. */
  pending: RecordedEvent[];
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
  missingFrom: null,
  failing: false,
  wakeUps: createWakeUps(),
});

/** Takes an event from the tail. A failing partition forgets what it cannot keep, so that it never stops the others. */
export function offer(queue: PartitionQueue, event: RecordedEvent): void {
  if (event.position < queue.progress || queue.missingFrom !== null) return;
  if (queue.failing && queue.pending.length >= KEPT_WHILE_FAILING) queue.missingFrom = event.position;
  else queue.pending.push(event);
  queue.wakeUps.wake();
}

/** A partition without events falls behind by at most so many positions: a restart begins at the one furthest back. */
const LONGEST_IDLE_STRETCH = 10_000n;

/** Whether nothing is left to read in a partition, and its progress should be told nevertheless. */
export const isFarBehindWithoutEvents = (queue: PartitionQueue, tail: bigint): boolean =>
  queue.pending.length === 0 && queue.missingFrom === null && tail - queue.progress >= LONGEST_IDLE_STRETCH;

/** Goes on from another offset than the next one; what is there is read again. */
export function seek(queue: PartitionQueue, offset: Offset): void {
  queue.progress = offset;
  queue.pending = [];
  queue.missingFrom = offset;
}
