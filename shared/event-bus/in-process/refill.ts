import { contextOf, streamTypesOf } from '../../events/catalogue.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import type { EventLog } from '../../event-log/port.ts';
import { partitionOf } from '../partition.ts';
import type { TopicPartition } from '../port.ts';
import type { PartitionQueue } from './partition-queue.ts';

const MOST = 500;

/**
 * Reads what a partition did not keep. When it comes to where the tail is, the tail's next event follows without a gap.
 * @param tail position up to which the tail has offered everything
 */
export async function refill(
  log: EventLog,
  queue: PartitionQueue,
  tail: () => bigint,
  signal: AbortSignal,
): Promise<void> {
  const from = queue.missingFrom;
  if (from === null) return;
  const until = tail();
  const events: RecordedEvent[] = [];
  if (from <= until) {
    const range = { after: from > 0n ? from - 1n : 0n, until, streams: streamTypesOf(queue.topic) };
    for await (const event of log.readAll(range)) {
      if (signal.aborted) return;
      if (!isIn(queue, event)) continue;
      events.push(event);
      if (events.length === MOST) break;
    }
  }
  queue.pending = events;
  const last = events.length === MOST ? events.at(-1) : undefined;
  if (last !== undefined) queue.missingFrom = last.position + 1n;
  else queue.missingFrom = until >= tail() ? null : until + 1n;
}

/** Whether an event belongs to a partition of a topic. */
const isIn = ({ topic, partition }: TopicPartition, event: RecordedEvent): boolean =>
  contextOf(event.stream) === topic && partitionOf(event.stream) === partition;
