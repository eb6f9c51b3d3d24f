import { createWakeUps } from '../resilience/wake-ups.ts';
import type { Context } from '../contexts/define-events.ts';
import {
  OffsetOutOfRange,
  partitionKey,
  type BusBatch,
  type ConsumeOptions,
  type Consumer,
  type EventBus,
  type Offset,
} from './port.ts';

export type MembershipOptions = {
  /** What the bus knows all of them as. */
  readonly group: string;
  /** Of all of them, the same in every process. */
  readonly topics: readonly Context[];
  /** So many are awaited, for a while, before the first one reads. */
  readonly consumers: number;
};

/** Milliseconds: to join a group costs more. */
const LONGEST_WAIT = 1_000;

type Sharer = {
  readonly options: ConsumeOptions;
  readonly consumer: Consumer;
  /** Where it goes on, by partition. */
  readonly places: Map<string, Offset>;
  /** Ends its `consume`; null: well. */
  end(reason: Error | null): void;
};

/**
 * A bus whose consumers are one member of one group, whatever groups they name: each partition is fetched once for all of them. Each
 * keeps its own progress, and is handed only what comes after it. Where one of them fails, the others wait before the next batch.
 */
export function shareMembership(bus: EventBus, { group, topics, consumers }: MembershipOptions): EventBus {
  const sharers = new Set<Sharer>();
  const changes = createWakeUps();
  let session = new AbortController();
  let isRunning = false;

  const change = (): void => {
    session.abort();
    changes.wake();
  };
  const isWanted = ({ options }: Sharer): boolean => !options.signal.aborted;

  async function gather(): Promise<void> {
    const until = performance.now() + LONGEST_WAIT;
    while (sharers.size < consumers && [...sharers].some(isWanted)) {
      const left = until - performance.now();
      if (left <= 0) return;
      await changes.next(left);
    }
  }

  async function beMember(present: readonly Sharer[]): Promise<void> {
    session = new AbortController();
    const { signal } = session;
    const together = consumeTogether(bus, present, change);
    let failure: unknown = null;
    try {
      await bus.consume({ group, topics, topicIds: together.topicIds, signal }, together);
    } catch (error) {
      failure = error;
    }
    const isOver = failure === null && !signal.aborted;
    for (const sharer of present) {
      const mistake = together.mistaken.get(sharer);
      if (isOver || !isWanted(sharer)) sharer.end(null);
      else if (mistake !== undefined) sharer.end(mistake);
      else if (failure !== null) endIfConcerned(sharer, failure);
    }
  }

  /** Never throws. */
  async function run(): Promise<void> {
    isRunning = true;
    while (sharers.size > 0) {
      await gather();
      for (const sharer of sharers) if (!isWanted(sharer)) sharer.end(null);
      if (sharers.size > 0) await beMember([...sharers]);
    }
    isRunning = false;
  }

  return {
    ...bus,
    consume: (options, consumer) =>
      new Promise((resolve, reject) => {
        // One for each: of consumers with the same signal none takes the other's away.
        const leave = (): void => change();
        const sharer: Sharer = {
          ...{ options, consumer, places: new Map() },
          end: (reason) => {
            sharers.delete(sharer);
            options.signal.removeEventListener('abort', leave);
            if (reason === null) resolve();
            else reject(reason);
          },
        };
        sharers.add(sharer);
        options.signal.addEventListener('abort', leave);
        change();
        if (!isRunning) void run();
      }),
  };
}

/** What is lost in a partition is lost for those who read it. */
function endIfConcerned(sharer: Sharer, failure: unknown): void {
  if (!(failure instanceof OffsetOutOfRange)) return sharer.end(failure as Error);
  const lost = failure.partitions.filter(({ topic }) => sharer.options.topics.includes(topic));
  if (lost.length > 0) sharer.end(new OffsetOutOfRange(lost));
}

type Together = Consumer & {
  /** Those that nobody is mistaken about. */
  readonly topicIds: ReadonlyMap<Context, string>;
  /** Whose progress is about other topics than those that are there, and what to tell it. */
  readonly mistaken: ReadonlyMap<Sharer, OffsetOutOfRange>;
};

function consumeTogether(bus: EventBus, sharers: readonly Sharer[], onMistake: () => void): Together {
  const { agreed, disputed } = compare(sharers);
  const mistaken = new Map<Sharer, OffsetOutOfRange>();
  const readersOf = (topic: Context): Sharer[] => sharers.filter(({ options }) => options.topics.includes(topic));

  async function settle(partitions: Parameters<Consumer['resume']>[0]): Promise<void> {
    if (disputed.length === 0) return;
    const now = await bus.topicIds(disputed);
    for (const sharer of sharers) {
      const known = sharer.options.topicIds;
      const lost = partitions.filter(
        ({ topic }) => now.has(topic) && (known?.get(topic) ?? now.get(topic)) !== now.get(topic),
      );
      if (lost.length > 0) mistaken.set(sharer, new OffsetOutOfRange(lost));
    }
    if (mistaken.size > 0) onMistake();
  }

  async function take({ consumer, places }: Sharer, batch: BusBatch): Promise<void> {
    const key = partitionKey(batch);
    const place = places.get(key) ?? 0n;
    if (place < batch.from || place >= batch.next) return;
    places.set(key, await consumer.handle(from(batch, place)));
  }

  const leastPlace = (topic: Context, key: string): Offset | undefined =>
    readersOf(topic)
      .map(({ places }) => places.get(key) ?? 0n)
      .reduce<Offset | undefined>((least, place) => (least === undefined || place < least ? place : least), undefined);

  return {
    topicIds: agreed,
    mistaken,
    resume: async (partitions) => {
      await settle(partitions);
      const resuming = sharers.map(async ({ options, consumer, places }) => {
        const own = partitions.filter(({ topic }) => options.topics.includes(topic));
        const offsets = await consumer.resume(own);
        for (const key of own.map(partitionKey)) places.set(key, offsets.get(key) ?? 0n);
      });
      await Promise.all(resuming);
      // A topic that nobody reads now is passed over.
      const idle = [...new Set(partitions.map(({ topic }) => topic))].filter((topic) => readersOf(topic).length === 0);
      const ends = idle.length === 0 ? new Map<string, Offset>() : await bus.endOffsets(idle);
      return new Map(
        partitions.map((partition) => {
          const key = partitionKey(partition);
          return [key, leastPlace(partition.topic, key) ?? ends.get(key) ?? 0n];
        }),
      );
    },
    handle: async (batch) => {
      const taken = await Promise.allSettled(readersOf(batch.topic).map((sharer) => take(sharer, batch)));
      const failed = taken.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
      return leastPlace(batch.topic, partitionKey(batch)) ?? batch.next;
    },
  };
}

/** Of two that know a topic by different ids one is mistaken: the bus knows which. */
function compare(sharers: readonly Sharer[]): { agreed: Map<Context, string>; disputed: Context[] } {
  const ids = new Map<Context, Set<string>>();
  for (const { options } of sharers)
    for (const [topic, id] of options.topicIds ?? []) ids.set(topic, (ids.get(topic) ?? new Set()).add(id));
  const agreed = [...ids].flatMap(([topic, [id, other]]) =>
    id !== undefined && other === undefined ? [[topic, id] as const] : [],
  );
  return { agreed: new Map(agreed), disputed: [...ids].filter(([, { size }]) => size > 1).map(([topic]) => topic) };
}

/** What of a batch comes at or after a place in it. */
function from(batch: BusBatch, place: Offset): BusBatch {
  if (place === batch.from) return batch;
  const first = batch.offsets.findIndex((offset) => offset >= place);
  const [events, offsets] = first === -1 ? [[], []] : [batch.events.slice(first), batch.offsets.slice(first)];
  return { ...batch, from: place, events, offsets };
}
