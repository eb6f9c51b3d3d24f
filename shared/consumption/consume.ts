import {
  OffsetOutOfRange,
  type BusBatch,
  type Consumer,
  type EventBus,
  partitionKey,
  type TopicPartition,
} from '../event-bus/port.ts';
import type { Context } from '../contexts/define-events.ts';
import { streamTypesOf } from '../events/catalogue.ts';
import { FromTheFuture } from '../events/codec.ts';
import { eventSize } from '../events/event-size.ts';
import type { RecordedEvent } from '../events/recorded-event.ts';
import { checkedHead } from '../event-bus/checked-head.ts';
import type { EventLog } from '../event-log/port.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type Outages, watchEach } from '../resilience/outages/outages.ts';
import { pause } from '../resilience/pause.ts';
import { keepFollowing } from './keep-following.ts';
import type { Progress } from './progress.ts';
import { findTurn, knownTopics, type KnownTopics, placeOf, type TopicIds, whatIsMissed } from './topics.ts';
import { createWaiting, type WaitingOptions } from './waiting.ts';

export type ConsumptionOptions = Pick<WaitingOptions, 'onWaiting'> & {
  readonly bus: EventBus;
  readonly log: EventLog;
  readonly outages: Outages;
  readonly logger: Logger;
  readonly signal: AbortSignal;
};

export type Consumption = {
  readonly group: string;
  readonly topics: readonly Context[];
  readonly progress: Progress;
  /** Repeats are harmless. @throws FromTheFuture as well: the partition waits */
  readonly receive: (events: readonly RecordedEvent[], from: 'bus' | 'log') => Promise<void>;
  /** The log was read to its end; until this is done, it counts as not read. */
  readonly caughtUp?: () => Promise<void>;
};

const EVENTS_AT_ONCE = 500;
const BYTES_AT_ONCE = 4 * 1024 * 1024;

/** What is waited for that only a new program ends. */
const FOR_EVER = 2 ** 31 - 1;

/**
 * Hands every event of the topics on, at least once and in order of each stream, until the signal aborts. The log tells what was
 * there before, and what was missed where the bus cannot go on from the stored progress. An event from the future holds its
 * partition, and where the log is read all of them, until this program is updated.
 */
export async function consume(options: ConsumptionOptions, consumption: Consumption): Promise<void> {
  const { bus, log, outages, logger, signal } = options;
  const { group, topics, progress, receive } = consumption;
  const fromDatabase = <Result>(action: () => Promise<Result>): Promise<Result> => outages.watch('postgresql', action);
  const watchedBus: Pick<EventBus, 'topicIds' | 'endOffsets'> = {
    topicIds: (asked) => outages.watch('event-bus', () => bus.topicIds(asked)),
    endOffsets: (asked) => outages.watch('event-bus', () => bus.endOffsets(asked)),
  };
  const known: KnownTopics = {
    topicIds: () => fromDatabase(progress.topicIds),
    adopt: (ids) => fromDatabase(() => progress.adopt(ids)),
  };

  const waiting = createWaiting({ ...options, group });

  async function handle(batch: BusBatch): Promise<bigint> {
    // What fails is told by the bus, which brings the batch again.
    await waiting.during(partitionKey(batch), batch.events, (known) => receive(known, 'bus'));
    return fromDatabase(() => progress.advance(batch));
  }

  /** Whoever asks or hands over: the bus is there. */
  const fromBus = async <Result>(answer: () => Promise<Result>): Promise<Result> => {
    await outages.watch('event-bus', () => Promise.resolve());
    return answer();
  };

  async function consumeOrCatchUp(progressed: () => void): Promise<void> {
    const topicIds = await begin();
    const consumer: Consumer = {
      resume: (partitions) => {
        waiting.forget();
        return fromBus(() => fromDatabase(() => progress.resume(partitions)));
      },
      handle: async (batch) => {
        const offset = await fromBus(() => handle(batch));
        progressed();
        return offset;
      },
    };
    try {
      await bus.consume({ group, topics, topicIds, signal }, consumer);
    } catch (error) {
      if (!(error instanceof OffsetOutOfRange) || signal.aborted) throw error;
      // Of several workers that meet it one has caught up already.
      const now = await known.topicIds();
      if (topics.some((topic) => now.get(topic) !== topicIds.get(topic))) return;
      logger.warn({ err: error, group }, 'the event bus cannot go on from our progress: catching up from the log');
      const facts = await catchUp(topics, error.partitions, topicIds);
      logger.info({ group, ...facts }, 'caught up from the log: going on with the event bus');
      progressed();
    }
  }

  /** Of topics that were never followed the log tells what they had; of progress that does not know its topics, they are the ones that are there. */
  async function begin(): Promise<TopicIds> {
    const ids = await known.topicIds();
    const unknown = topics.filter((topic) => !ids.has(topic));
    if (unknown.length === 0) return ids;
    const begun = [...(await fromDatabase(progress.positions)).keys()];
    const fresh = unknown.filter((topic) => !begun.some((place) => place.startsWith(`${topic}/`)));
    if (fresh.length > 0) {
      const facts = await catchUp(fresh, [], ids);
      logger.debug({ group, topics: fresh, ...facts }, 'read from the log what was there: going on with the event bus');
    }
    return knownTopics(topics, known, watchedBus);
  }

  /** @param ids of the topics that the progress is about @returns what to tell of it */
  async function catchUp(
    followed: readonly Context[],
    lost: readonly TopicPartition[],
    ids: TopicIds,
  ): Promise<object> {
    const positions = await fromDatabase(progress.positions);
    const { topicIds, ends, head } = await outages.watch('event-log', () => findTurn(log, watchedBus, followed));
    const missed = whatIsMissed(lost, ids, topicIds, positions);
    const { places, after } = missed;
    const until = await outages.watch('event-log', async () => checkedHead(head, ends, after));
    if (until > after) {
      const streams = missed.topics.flatMap(streamTypesOf);
      const range = { ...(after > 0n && { after }), until, streams, signal };
      for await (const events of inChunks(watchEach(outages, 'event-log', log.readAll(range)))) {
        signal.throwIfAborted();
        const concerned = events.filter((event) => places.has(placeOf(event)));
        await waiting.during('the log', concerned, (known) => receive(known, 'log'));
      }
      await consumption.caughtUp?.();
    }
    signal.throwIfAborted();
    // Ids only of topics that were looked at: the others' offsets stay, and so does what they are about.
    const offsets = new Map([...ends].filter(([place]) => places.has(place)));
    const about = new Map([...topicIds].filter(([topic]) => missed.topics.includes(topic)));
    await fromDatabase(() => progress.jump(offsets, until, about));
    return { partitions: [...places], after: String(after), until: String(until) };
  }

  /** To read the log again would not help: whoever is updated begins anew. */
  async function consumeOrWait(progressed: () => void): Promise<void> {
    try {
      await consumeOrCatchUp(progressed);
    } catch (error) {
      if (error instanceof FromTheFuture) await pause(FOR_EVER, signal);
      throw error;
    }
  }

  await keepFollowing(consumeOrWait, {
    signal,
    outages,
    onFailed: (error) => logger.error({ err: error, group }, 'the input of a consumer ended: trying again'),
  });
}

/** Gathers what comes into arrays, bounded in events and bytes, none empty. */
async function* inChunks(events: AsyncIterable<RecordedEvent>): AsyncGenerator<readonly RecordedEvent[]> {
  let chunk: RecordedEvent[] = [];
  let bytes = 0;
  for await (const event of events) {
    chunk.push(event);
    bytes += eventSize(event);
    if (chunk.length < EVENTS_AT_ONCE && bytes < BYTES_AT_ONCE) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}
