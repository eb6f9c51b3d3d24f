import type { Context } from '../contexts/define-events.ts';
import { checkedHead } from '../event-bus/checked-head.ts';
import { partitionOf } from '../event-bus/partition.ts';
import { type EventBus, type Offset, partitionKey, PARTITIONS, type TopicPartition } from '../event-bus/port.ts';
import type { EventLog } from '../event-log/port.ts';
import { contextOf } from '../events/catalogue.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';

/** What tells topics from others of the same name: an offset means something in one of them only. */
export type TopicIds = ReadonlyMap<Context, string>;

/** Where a consumer keeps the ids of the topics that its progress is about. */
export type KnownTopics = {
  topicIds(): Promise<TopicIds>;
  /** Takes these for the topics that the progress is about, where it does not know better. */
  adopt(topics: TopicIds): Promise<void>;
};

/**
 * The ids of the topics that the progress is about. What it does not know yet, it takes from the bus.
 * @param read what it knows, where that was read just now
 */
export async function knownTopics(
  topics: readonly Context[],
  known: KnownTopics,
  bus: Pick<EventBus, 'topicIds'>,
  read?: TopicIds,
): Promise<TopicIds> {
  const ids = read ?? (await known.topicIds());
  const unknown = topics.filter((topic) => !ids.has(topic));
  if (unknown.length === 0) return ids;
  await known.adopt(await bus.topicIds(unknown));
  return known.topicIds();
}

/** Topics that are other ones than those that are known: of these an offset says nothing any more. */
export const madeAnew = <Topic extends string>(
  known: ReadonlyMap<string, string>,
  now: ReadonlyMap<Topic, string>,
): Topic[] => [...now.keys()].filter((topic) => known.get(topic) !== now.get(topic));

/** Where a consumer that caught up to the log's `head` goes on in the bus. */
export type Turn = { readonly topicIds: TopicIds; readonly ends: ReadonlyMap<string, Offset>; readonly head: bigint };

/**
 * Where to turn from the log to the bus. What the bus has before its ends is in the log before its head: read in this order, and the
 * topics' ids before them, nothing lies between.
 * @param reached a position that the log has for certain; default: nothing is known
 * @throws LogBehind
 */
export async function findTurn(
  log: Pick<EventLog, 'head'>,
  bus: Pick<EventBus, 'topicIds' | 'endOffsets'>,
  topics: readonly Context[],
  reached = 0n,
): Promise<Turn> {
  const topicIds = await bus.topicIds(topics);
  const ends = await bus.endOffsets(topics);
  return { topicIds, ends, head: checkedHead(await log.head(), ends, reached) };
}

/** Partitions in which a consumer has to catch up, and the position of the log after which it misses something; 0: the start. */
export type Missed = {
  readonly places: ReadonlySet<string>;
  readonly topics: readonly Context[];
  readonly after: bigint;
};

/**
 * What the log must tell. Of topics that were made anew everything: somebody may have read in a new one before it was noticed, so that
 * what they kept says nothing. Of the other partitions only what comes after their positions.
 * @param lost partitions that cannot go on
 * @param known ids of the topics that the progress is about @param now ids of those that are there
 * @param positions of the partitions, as far as they are known
 */
export function whatIsMissed(
  lost: readonly TopicPartition[],
  known: TopicIds,
  now: TopicIds,
  positions: ReadonlyMap<string, bigint | null>,
): Missed {
  const anew = madeAnew(known, now);
  const others = lost.filter(({ topic }) => !anew.includes(topic));
  const reached = [...anew.map(() => 0n), ...others.map((partition) => positions.get(partitionKey(partition)) ?? 0n)];
  return {
    places: new Set([...anew.flatMap(partitionsOf), ...others].map(partitionKey)),
    topics: [...new Set([...anew, ...others.map(({ topic }) => topic)])],
    after: reached.reduce((least, position) => (position < least ? position : least), reached[0] ?? 0n),
  };
}

const partitionsOf = (topic: Context): TopicPartition[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));

/** The partition of an event, as `partitionKey` tells it; only events of streams that have a topic have one. */
export const placeOf = ({ stream }: Pick<RecordedEvent, 'stream'>): string =>
  `${contextOf(stream)}/${partitionOf(stream)}`;
