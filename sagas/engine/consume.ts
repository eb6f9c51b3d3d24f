import { OffsetOutOfRange, type BusBatch, type Consumer, type EventBus } from '@workledger/shared/event-bus/port.ts';
import type { Context } from '@workledger/shared/contexts/define-events.ts';
import { streamTypesOf } from '@workledger/shared/events/catalogue.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { checkedHead } from '@workledger/shared/event-bus/checked-head.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { backOff, pause } from '@workledger/shared/resilience/pause.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import { inChunks } from './in-chunks.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import type { Progress } from './progress.ts';

export type ConsumptionOptions = {
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
  /** Repeats are harmless. */
  readonly receive: (events: readonly RecordedEvent[]) => Promise<void>;
};

const EVENTS_AT_ONCE = 500;
const SHORTEST_MILLISECONDS = 100;
const LONGEST_MILLISECONDS = 5_000;

/**
 * Hands every event of the topics on, at least once and in order of each stream, until the signal aborts. Where the bus cannot go
 * on from the stored progress, the log tells what was missed.
 */
export async function consume(options: ConsumptionOptions, consumption: Consumption): Promise<void> {
  const { bus, log, outages, logger, signal } = options;
  const { group, topics, progress, receive } = consumption;

  async function handle(batch: BusBatch): Promise<bigint> {
    // What fails is told by the bus, which brings the batch again.
    await receive(batch.events);
    return outages.watch('postgresql', () => progress.advance(batch));
  }

  /** Whoever asks or hands over: the bus is there. */
  const fromBus = async <Result>(answer: () => Promise<Result>): Promise<Result> => {
    await outages.watch('event-bus', () => Promise.resolve());
    return answer();
  };
  const consumer: Consumer = {
    resume: (partitions) => fromBus(() => outages.watch('postgresql', () => progress.resume(partitions))),
    handle: (batch) => fromBus(() => handle(batch)),
  };

  async function consumeOrCatchUp(): Promise<void> {
    const topicIds = await knownTopics();
    try {
      await bus.consume({ group, topics, topicIds, signal }, consumer);
    } catch (error) {
      if (!(error instanceof OffsetOutOfRange) || signal.aborted) throw error;
      // Of several workers that meet it one has caught up already.
      const now = await knownTopics();
      if (topics.some((topic) => now.get(topic) !== topicIds.get(topic))) return;
      logger.warn({ err: error, group }, 'the event bus cannot go on from our progress: catching up from the log');
      await catchUp();
    }
  }

  async function knownTopics(): Promise<ReadonlyMap<Context, string>> {
    const stored = (): Promise<ReadonlyMap<Context, string>> => outages.watch('postgresql', progress.topicIds);
    const known = await stored();
    const unknown = topics.filter((topic) => !known.has(topic));
    if (unknown.length === 0) return known;
    const found = await outages.watch('event-bus', () => bus.topicIds(unknown));
    await outages.watch('postgresql', () => progress.adopt(found));
    return stored();
  }

  /** What the bus has before its ends is in the log before its head: read in this order, nothing lies between. */
  async function catchUp(): Promise<void> {
    const topicIds = await outages.watch('event-bus', () => bus.topicIds(topics));
    const ends = await outages.watch('event-bus', () => bus.endOffsets(topics));
    const until = await outages.watch('event-log', async () => checkedHead(await log.head(), ends));
    const missed = log.readAll({ until, streams: topics.flatMap(streamTypesOf), signal });
    for await (const events of inChunks(missed, EVENTS_AT_ONCE)) await receive(events);
    signal.throwIfAborted();
    await outages.watch('postgresql', () => progress.jump(ends, topicIds));
    logger.info({ group, until: String(until) }, 'caught up from the log: going on with the event bus');
  }

  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      await consumeOrCatchUp();
      attempt = 0;
    } catch (error) {
      if (signal.aborted) return;
      if (!outages.isTold(error) && !outages.notice('event-bus', error))
        logger.error({ err: error, group }, 'saga input ended: trying again');
      await pause(backOff(attempt, SHORTEST_MILLISECONDS, LONGEST_MILLISECONDS), signal);
    }
  }
}
