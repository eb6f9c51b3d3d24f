import { partitionKey, type BusBatch } from '@workledger/shared/event-bus/port.ts';

/** So many events that nobody follows may be read again after a restart. */
const MOST = 1_000;

type Skipped = { readonly from: bigint; readonly next: bigint; readonly events: number };

/**
 * Stretches without an event that counts: their progress is written with the next one that has some, so that other streams of
 * a topic cost nothing. A restart reads them again, and skips them again.
 */
export type Skipping = {
  /** Whether the batch may pass without a write; from then on it belongs to the next one of its partition. */
  skip(batch: BusBatch): boolean;
  /** Where the batch begins together with what was skipped right before it. */
  from(batch: BusBatch): bigint;
  /** What was skipped there is written, or is not to be: the progress stands elsewhere. */
  forget(batch: BusBatch): void;
  forgetAll(): void;
};

export function createSkipping(): Skipping {
  const skipped = new Map<string, Skipped>();
  const before = (batch: BusBatch): Skipped | undefined => {
    const kept = skipped.get(partitionKey(batch));
    return kept?.next === batch.from ? kept : undefined;
  };
  return {
    skip: (batch) => {
      const kept = before(batch);
      const events = (kept?.events ?? 0) + batch.events.length;
      // A bus that hands out a batch without events wants the progress to be written.
      if (batch.events.length === 0 || events > MOST) return false;
      skipped.set(partitionKey(batch), { from: kept?.from ?? batch.from, next: batch.next, events });
      return true;
    },
    from: (batch) => before(batch)?.from ?? batch.from,
    forget: (batch) => void skipped.delete(partitionKey(batch)),
    forgetAll: () => skipped.clear(),
  };
}
