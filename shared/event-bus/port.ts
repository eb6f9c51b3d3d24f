import type { Context } from '../contexts/define-events.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';

/** A topic a context; each has this many partitions, fixed for life. A stream's events are all in one partition, in order. */
export const PARTITIONS = 12;

export type TopicPartition = { readonly topic: Context; readonly partition: number };

/** Opaque to consumers but for its order: 0 is the start. */
export type Offset = bigint;

/** Events of one partition, in order. Everything in [from, next) was seen; `from` is where the batch before it ended. */
export type BusBatch = TopicPartition & {
  readonly from: Offset;
  readonly next: Offset;
  readonly events: readonly RecordedEvent[];
  /** Of each event. */
  readonly offsets: readonly Offset[];
};

export type Consumer = {
  /**
   * Where to go on, for each partition that was assigned: progress is the consumer's own. Keyed by `partitionKey`; a
   * missing one means the start.
   */
  resume(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>>;
  /**
   * At least once, in order per partition, one batch of a partition at a time. Answers where to go on: `next`, or another
   * offset to seek to. A throw: the same batch comes again, after a pause.
   */
  handle(batch: BusBatch): Promise<Offset>;
};

export type ConsumeOptions = {
  /** Members of one group share the partitions. The in-process adapter has one member a group. */
  readonly group: string;
  readonly topics: readonly Context[];
  /** The topics that the consumer's progress is about, as `topicIds` told them; default: whichever are there. */
  readonly topicIds?: ReadonlyMap<Context, string>;
  readonly signal: AbortSignal;
};

/** What went wrong and will be tried again. `partition` is null when it concerns the whole group. */
export type ConsumeError = {
  readonly group: string;
  readonly partition: TopicPartition | null;
  readonly attempt: number;
  readonly error: unknown;
};

/** Spreads the log's events. Adapters: `in-process/`, `kafka/`; the contract suite says what each must do. */
export type EventBus = {
  /** For the relay only: ordered per stream, at least once. The in-process adapter needs none and refuses. */
  publish(events: readonly RecordedEvent[]): Promise<void>;
  /**
   * For a relay in a hurry: makes events ready while others are under way, letting the event loop turn. What it answers
   * publishes them, and may be called again after a failure.
   */
  prepare?(events: readonly RecordedEvent[]): Promise<() => Promise<void>>;
  /**
   * Consumes until the signal aborts; resolves when the last batch is done.
   * @throws OffsetOutOfRange when a resumed offset is not in its partition, any more or yet, or the topic is another one than
   *   in `topicIds`: catch up from the log
   */
  consume(options: ConsumeOptions, consumer: Consumer): Promise<void>;
  /** Where each partition ends now, keyed by `partitionKey`: all that is published from now on comes at or after it. */
  endOffsets(topics: readonly Context[]): Promise<ReadonlyMap<string, Offset>>;
  /** What tells a topic from another one of the same name, made after it was lost: an offset of one means nothing in the other. */
  topicIds(topics: readonly Context[]): Promise<ReadonlyMap<Context, string>>;
  close(): Promise<void>;
};

export const partitionKey = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** The bus does not have what comes after a consumer's progress: it was deleted, or the topic is another one than before. */
export class OffsetOutOfRange extends Error {
  override name = 'OffsetOutOfRange';
  readonly partitions: readonly TopicPartition[];
  constructor(partitions: readonly TopicPartition[]) {
    super(`the event bus cannot go on from the offsets of ${partitions.map(partitionKey).join(', ')}`);
    this.partitions = partitions;
  }
}

/** Between two tries of what a consumer could not do, on every bus: milliseconds. */
export const PAUSES = { shortest: 50, longest: 5_000 } as const;
