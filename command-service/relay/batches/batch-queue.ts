import type { Batch } from '@workledger/shared/event-log/port.ts';
import { contextOf } from '@workledger/shared/events/catalogue.ts';
import { eventSize } from '@workledger/shared/events/event-size.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

/** What goes to the bus in one publish; `next` = everything up to this position is in it or in those before. */
export type RelayBatch = { readonly events: readonly RecordedEvent[]; readonly next: bigint };

export type BatchLimits = { readonly events: number; readonly bytes: number };

export type BatchQueue = {
  /** Takes what the log gave: cut, or joined to what waits. */
  add(batch: Pick<Batch, 'events' | 'next'>): void;
  /** The batch that waited longest; null when there is none. */
  take(): RelayBatch | null;
  /** The same, if no later event can join it any more: what is not whole grows while the bus is busy. */
  takeWhole(): RelayBatch | null;
  /** Whether so many batches wait that nothing more should be read. */
  isFull(): boolean;
};

type Filling = { events: RecordedEvent[]; bytes: number; next: bigint };

/** Cuts the log into batches for the bus. Events of streams without a context are left out, but their positions pass. */
export function createBatchQueue(limits: BatchLimits, readAhead: number): BatchQueue {
  const waiting: Filling[] = [];

  const place = (event: RecordedEvent): Filling => {
    const bytes = eventSize(event);
    const last = waiting.at(-1);
    const fits =
      last !== undefined &&
      last.events.length < limits.events &&
      (last.bytes + bytes <= limits.bytes || last.bytes === 0);
    const batch = fits ? last : { events: [], bytes: 0, next: event.position };
    if (!fits) waiting.push(batch);
    batch.bytes += bytes;
    batch.events.push(event);
    return batch;
  };

  return {
    add: ({ events, next }) => {
      for (const event of events) {
        if (contextOf(event.stream) === null) continue;
        place(event).next = event.position;
      }
      const last = waiting.at(-1);
      if (last === undefined) waiting.push({ events: [], bytes: 0, next });
      else last.next = next;
    },
    take: () => waiting.shift() ?? null,
    takeWhole: () => (waiting.length > 1 ? (waiting.shift() ?? null) : null),
    isFull: () => waiting.length > readAhead,
  };
}
