import { partitionKey, type Offset, type TopicPartition } from '../port.ts';
import type { OffsetRange } from './cluster.ts';

export type Placed = TopicPartition & { readonly offset: Offset };

/** The partitions that cannot go on from their offset. kafkajs would start them somewhere else without a word. */
export const outOfRange = (placed: readonly Placed[], ranges: ReadonlyMap<string, OffsetRange>): TopicPartition[] =>
  placed
    .filter(({ offset, ...partition }) => {
      const range = ranges.get(partitionKey(partition));
      return range === undefined || offset < range.low || offset > range.high;
    })
    .map(({ topic, partition }) => ({ topic, partition }));
