import type { Context } from '../contexts/define-events.ts';
import { partitionOf } from '../event-bus/partition.ts';
import { PARTITIONS, partitionKey, type TopicPartition } from '../event-bus/port.ts';
import { contextOf } from '../events/catalogue.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import { madeAnew, type TopicIds } from './topics.ts';

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
