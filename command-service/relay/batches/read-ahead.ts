import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import { pause } from '@workledger/shared/resilience/pause.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import { createBatchQueue, type RelayBatch } from './batch-queue.ts';

/** Cut so that one publish is one request well below what a broker takes (1 MiB a partition). */
const LIMITS = { events: 1_000, bytes: 768 * 1024 };
/** Batches that wait, beside what one page of the log holds more. */
const READ_AHEAD = 4;
/** Before the log is followed again, in milliseconds. */
const SHORTEST_PAUSE = 100;

export type ReadAheadOptions = {
  readonly log: Pick<EventLog, 'subscribe'>;
  /** Exclusive. */
  readonly after: bigint;
  readonly signal: AbortSignal;
  readonly outage: Outage;
};

export type ReadAhead = {
  /** The next batch, in the order of the log; null when the signal aborted. */
  next(): Promise<RelayBatch | null>;
  /** The next batch if it waits and is whole. */
  nextWhole(): RelayBatch | null;
  /** Resolves when nothing is read any more. */
  readonly done: Promise<void>;
};

/** Reads the log while the batch before is being sent, a bounded way ahead. A log that goes away is waited for. */
export function readAhead({ log, after, signal, outage }: ReadAheadOptions): ReadAhead {
  const queue = createBatchQueue(LIMITS, READ_AHEAD);
  const added = createWakeUps();
  const taken = createWakeUps();
  let position = after;

  const follow = async (worked: () => void): Promise<void> => {
    for await (const batch of log.subscribe({ after: position, signal })) {
      outage.worked(null);
      worked();
      queue.add(batch);
      position = batch.next;
      added.wake();
      while (queue.isFull() && !signal.aborted) await taken.next(null, signal);
    }
  };

  const keepFollowing = async (): Promise<void> => {
    const onFailed = (error: unknown): void => outage.failed(null, error);
    for (; !signal.aborted; await pause(SHORTEST_PAUSE, signal))
      await keepTrying(follow, { signal, shortest: SHORTEST_PAUSE, longest: 2_000, onFailed });
  };

  return {
    next: async () => {
      for (;;) {
        if (signal.aborted) return null;
        const batch = queue.take();
        taken.wake();
        if (batch !== null) return batch;
        await added.next(null, signal);
      }
    },
    nextWhole: () => {
      const batch = queue.takeWhole();
      taken.wake();
      return batch;
    },
    done: keepFollowing(),
  };
}
