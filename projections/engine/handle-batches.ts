import type { Pool } from 'pg';
import {
  partitionKey,
  type BusBatch,
  type Consumer,
  type Offset,
  type TopicPartition,
} from '@workledger/shared/event-bus/port.ts';
import type { Waiting } from '@workledger/shared/consumption/waiting.ts';
import { contexts } from '@workledger/shared/events/catalogue.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';
import { applyBatch, type Applied } from './apply-batch.ts';
import { follows, topicsOf, type Target } from './projection.ts';
import { standings } from './progress.ts';
import { createSkipping } from './skipping.ts';

/** What the engine tells its operator. pino fits. */
export type EngineLogger = {
  info(facts: object, message: string): void;
  error(facts: object, message: string): void;
};

export type HandlingOptions = {
  /** Read models that stand in every partition of their topics. */
  readonly targets: readonly Target[];
  readonly pool: Pool;
  readonly logger: EngineLogger;
  /** An event from the future holds its partition: nobody knows what it would mean for what comes behind it. */
  readonly waiting: Waiting;
  readonly onApplied: (applied: Applied) => void;
  /** Called when a read model has no progress in a partition any more: another worker sent it back to the log. */
  readonly onReturnedToLog: (target: Target) => void;
  /** Where to begin in a partition that nobody follows. */
  readonly ends: ReadonlyMap<string, Offset>;
};

export type Handling = {
  readonly consumer: Consumer;
  /** Where the partitions stood when this worker last knew. */
  readonly known: ReadonlyMap<string, Offset>;
};

/** Of a batch what may be applied: all of it, or what comes before an event from the future; then the progress stays. */
type Part = BusBatch & { readonly isWhole: boolean };

class StandsElsewhere extends Error {
  override name = 'StandsElsewhere';
  readonly offset: Offset;
  constructor(offset: Offset) {
    super(`the progress stands at ${offset}`);
    this.offset = offset;
  }
}

/**
 * Read models as one consumer of the bus: reads a partition from where the one of them stands that is furthest back, and applies each
 * batch to all that stand before its end. Goes to where the progress stands when that is elsewhere.
 */
export function handleBatches(options: HandlingOptions): Handling {
  const { targets, pool, logger, waiting } = options;
  const skipping = createSkipping();
  const known = new Map<string, Offset>();
  const followersOf = new Map(
    contexts.map((topic) => [topic, targets.filter(({ projection }) => topicsOf(projection).includes(topic))]),
  );
  const followers = ({ topic }: TopicPartition): readonly Target[] => followersOf.get(topic) ?? [];

  async function handle(batch: BusBatch): Promise<Offset> {
    const own = followers(batch);
    if (own.length === 0) return batch.next;
    const followed = batch.events.filter((event) => own.some(({ projection }) => follows(projection, event)));
    if (followed.length === 0 && skipping.skip(batch)) return batch.next;
    const from = skipping.from(batch);
    const receive = async (some: readonly RecordedEvent[]): Promise<void> => {
      const part = { ...batch, from, isWhole: some.length === followed.length };
      const events = part.isWhole ? batch.events : some;
      const stands = await applyTogetherOrApart(own, { ...part, events });
      if (stands !== null) throw new StandsElsewhere(stands);
    };
    // What fails is told by the bus, which brings the batch again.
    try {
      await (followed.length === 0 ? receive([]) : waiting.during(partitionKey(batch), followed, receive));
    } catch (error) {
      if (!(error instanceof StandsElsewhere)) throw error;
      return error.offset;
    }
    return moved(batch);
  }

  /** @returns where the progress stands when that is elsewhere, else null */
  async function applyTogetherOrApart(own: readonly Target[], part: Part): Promise<Offset | null> {
    const together = await apply(own, part, part.from);
    // What was skipped before it comes again as long as the progress is not moved.
    if (part.isWhole || !together) skipping.forget(part);
    return together ? null : applyApart(own, part);
  }

  async function apply(own: readonly Target[], part: Part, from: Offset): Promise<boolean> {
    const stretch = { ...part, from, next: part.isWhole ? part.next : from };
    const applied = await applyBatch(pool, own, stretch, part.events);
    if (applied !== null) options.onApplied(applied);
    return applied !== null;
  }

  function moved(batch: BusBatch): Offset {
    known.set(partitionKey(batch), batch.next);
    return batch.next;
  }

  /** Where read models do not stand together, or somewhere else: each takes of the batch what it does not have. */
  async function applyApart(own: readonly Target[], part: Part): Promise<Offset | null> {
    const partition = partitionKey(part);
    const stored = await stand(own, [part]);
    const least = leastOf([...stored.values()].map((standing) => standing.get(partition) ?? 0n));
    if (least !== part.from) {
      known.set(partition, least);
      logger.info({ partition, from: String(part.from), to: String(least) }, 'stale batch dropped');
      return least;
    }
    for (const [target, standing] of stored) {
      const offset = standing.get(partition) ?? 0n;
      if (offset < part.next && !(await apply([target], part, offset)))
        throw new Error(`projection ${target.projection.name}: ${partition} was moved by another worker meanwhile`);
    }
    return null;
  }

  /** @throws Error when one of them has no place in one of the partitions any more */
  async function stand(own: readonly Target[], partitions: readonly TopicPartition[]) {
    const stored = await standings(pool, own);
    for (const [target, standing] of stored)
      for (const partition of partitions)
        if (followers(partition).includes(target) && !standing.has(partitionKey(partition))) {
          options.onReturnedToLog(target);
          throw new Error(
            `projection ${target.projection.name}: no progress for ${partitionKey(partition)}: it catches up from the log again`,
          );
        }
    return stored;
  }

  async function resume(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, Offset>> {
    skipping.forgetAll();
    waiting.forget();
    known.clear();
    const stored = await stand(targets, partitions);
    for (const partition of partitions) {
      const place = partitionKey(partition);
      const offsets = [...stored.values()].flatMap((standing) => standing.get(place) ?? []);
      known.set(place, offsets.length > 0 ? leastOf(offsets) : (options.ends.get(place) ?? 0n));
    }
    return new Map(known);
  }

  return { consumer: { resume, handle }, known };
}

const leastOf = (offsets: readonly Offset[]): Offset =>
  offsets.reduce((least, offset) => (offset < least ? offset : least), offsets[0] ?? 0n);
