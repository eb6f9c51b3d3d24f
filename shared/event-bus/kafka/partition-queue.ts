import type { RecordedEvent } from '../../events/recorded-event.ts';
import { keepTrying } from '../../resilience/keep-trying.ts';
import { PAUSES, type BusBatch, type Consumer, type Offset, type TopicPartition } from '../port.ts';

/** Events of one batch for a handler. */
const BATCH_EVENTS = 500;
/** A partition that holds more than this is not fetched on until most of it is handled. */
const MOST_EVENTS = 1_000;
const MOST_BYTES = 1_000_000;

/** What one fetch brought of a partition. `next`: the offset after its last message. */
export type Fetched = { readonly next: Offset; readonly events: readonly FetchedEvent[] };
export type FetchedEvent = {
  readonly offset: Offset;
  readonly bytes: number;
  /** An error where the message is an event that cannot be read: the partition stands still before it. */
  readonly event: RecordedEvent | Error;
};

export type QueueOptions = {
  readonly partition: TopicPartition;
  readonly handle: Consumer['handle'];
  /** Fetch from this offset on. */
  readonly seek: (offset: Offset) => void;
  /** Stop or go on fetching. */
  readonly hold: (held: boolean) => void;
  readonly onError: (error: unknown, attempt: number) => void;
};

export type PartitionQueue = {
  readonly partition: TopicPartition;
  /** Offset from which the next fetch must go on; null while the queue has no place. */
  expects(): Offset | null;
  /** Everything before it is handled; null while the queue has no place. */
  progress(): Offset | null;
  /** Gives the queue its place: it goes on from there. */
  place(offset: Offset): void;
  /** Takes what a fetch brought, which must start where the one before it ended. */
  offer(fetched: Fetched): void;
  /** Forgets what it holds and its place; resolves when the batch in hand is done. */
  clear(): Promise<void>;
};

/** Hands the events of one partition to a handler, one batch at a time, while the next ones are fetched. */
export function createPartitionQueue(options: QueueOptions): PartitionQueue {
  const { partition, handle } = options;
  let waiting: FetchedEvent[] = [];
  let bytes = 0;
  let held = false;
  let fetchedTo: Offset | null = null;
  let handledTo: Offset | null = null;
  let working: Promise<void> | null = null;
  let life = new AbortController();

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && handledTo !== null && fetchedTo !== null && handledTo < fetchedTo) {
      const from = handledTo;
      const taken = waiting.splice(0, readable(waiting));
      for (const event of taken) bytes -= event.bytes;
      const next = waiting[0]?.offset ?? fetchedTo;
      const answer = await handlePatiently({ ...partition, from, next }, taken, signal);
      // Cleared or sought meanwhile: what it answered is about a place that is given up.
      if (signal.aborted || answer === null) return;
      if (answer === next) handledTo = next;
      else moveTo(answer);
      if (held && waiting.length <= MOST_EVENTS / 4 && bytes <= MOST_BYTES / 4) {
        held = false;
        options.hold(false);
      }
    }
  }

  const handlePatiently = (
    stretch: Omit<BusBatch, 'events' | 'offsets'>,
    taken: readonly FetchedEvent[],
    signal: AbortSignal,
  ): Promise<Offset | null> =>
    keepTrying(
      async () => {
        const offsets = taken.map(({ offset }) => offset);
        return handle({ ...stretch, events: taken.map(({ event }) => orThrow(event)), offsets });
      },
      { ...PAUSES, signal, onFailed: options.onError },
    );

  function moveTo(offset: Offset): void {
    waiting = [];
    bytes = 0;
    handledTo = fetchedTo = offset;
    options.seek(offset);
  }

  function start(): void {
    const { signal } = life;
    working ??= work(signal).finally(() => {
      working = null;
      if (!life.signal.aborted && handledTo !== null && fetchedTo !== null && handledTo < fetchedTo) start();
    });
  }

  return {
    partition,
    expects: () => fetchedTo,
    progress: () => handledTo,
    place: (offset) => {
      life = new AbortController();
      held = false;
      moveTo(offset);
    },
    offer: (fetched) => {
      fetchedTo = fetched.next;
      for (const event of fetched.events) {
        waiting.push(event);
        bytes += event.bytes;
      }
      if (!held && (waiting.length > MOST_EVENTS || bytes > MOST_BYTES)) {
        held = true;
        options.hold(true);
      }
      start();
    },
    clear: async () => {
      life.abort();
      waiting = [];
      bytes = 0;
      handledTo = fetchedTo = null;
      await working;
    },
  };
}

/** How many of the events go into one batch: what cannot be read is on its own. */
function readable(waiting: readonly FetchedEvent[]): number {
  const unreadable = waiting.findIndex(({ event }) => event instanceof Error);
  return unreadable === -1 ? BATCH_EVENTS : Math.min(BATCH_EVENTS, Math.max(1, unreadable));
}

function orThrow(event: RecordedEvent | Error): RecordedEvent {
  if (event instanceof Error) throw event;
  return event;
}
