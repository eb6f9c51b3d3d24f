import type { EventLog } from '../../event-log/port.ts';
import type { Context } from '../../contexts/define-events.ts';
import {
  OffsetOutOfRange,
  PARTITIONS,
  partitionKey,
  type ConsumeError,
  type EventBus,
  type TopicPartition,
} from '../port.ts';
import { consumeLog } from './consume-log.ts';
import { createLiveTail } from './live-tail.ts';

export type InProcessBusOptions = {
  /** Told of every failure of a handler, and of the log when a batch is read again; all of them are tried again. */
  readonly onError?: (error: ConsumeError) => void;
};

/** Offsets are positions of the log: there is only one topic of each name, ever. */
const IN_LOG = 'log';

const partitionsOf = (topic: Context): TopicPartition[] =>
  Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));

/**
 * The bus of a single process: its groups follow the log, those that have caught up all over one tail, so there is nothing to
 * publish. Offsets are positions. The log belongs to the caller and must stay open until `close` has resolved.
 */
export function createInProcessBus(log: EventLog, options: InProcessBusOptions = {}): EventBus {
  const closing = new AbortController();
  const running = new Map<string, Promise<void>>();
  const tail = createLiveTail(log);

  return {
    publish: () => Promise.reject(new Error('the in-process bus reads the log itself: do not run a relay beside it')),

    consume: async (consumeOptions, consumer) => {
      const { group, topics, topicIds } = consumeOptions;
      if (running.has(group))
        throw new Error(
          `group "${group}" already has its one member on this bus: give the other consumer its own group`,
        );
      const lost = topics.filter((topic) => (topicIds?.get(topic) ?? IN_LOG) !== IN_LOG);
      if (lost.length > 0) throw new OffsetOutOfRange(lost.flatMap(partitionsOf));
      const signal = AbortSignal.any([consumeOptions.signal, closing.signal]);
      const onError = options.onError ?? (() => undefined);
      const consuming = consumeLog(log, { ...consumeOptions, signal }, consumer, onError, tail);
      running.set(group, consuming);
      try {
        await consuming;
      } finally {
        running.delete(group);
      }
    },

    endOffsets: async (topics) => {
      const end = (await log.head()) + 1n;
      return new Map(topics.flatMap(partitionsOf).map((partition) => [partitionKey(partition), end]));
    },

    topicIds: (topics) => Promise.resolve(new Map(topics.map((topic) => [topic, IN_LOG]))),

    close: async () => {
      closing.abort();
      await Promise.allSettled(running.values());
    },
  };
}
