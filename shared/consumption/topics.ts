import type { Context } from '../contexts/define-events.ts';
import { checkedHead } from '../event-bus/checked-head.ts';
import type { EventBus, Offset } from '../event-bus/port.ts';
import type { EventLog } from '../event-log/port.ts';

/** What tells topics from others of the same name: an offset means something in one of them only. */
export type TopicIds = ReadonlyMap<Context, string>;

/** Where a consumer keeps the ids of the topics that its progress is about. */
export type KnownTopics = {
  topicIds(): Promise<TopicIds>;
  /** Takes these for the topics that the progress is about, where it does not know better. */
  adopt(topics: TopicIds): Promise<void>;
};

/** The ids of the topics that the progress is about. What it does not know yet, it takes from the bus. */
export async function knownTopics(
  topics: readonly Context[],
  known: KnownTopics,
  bus: Pick<EventBus, 'topicIds'>,
): Promise<TopicIds> {
  const ids = await known.topicIds();
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
