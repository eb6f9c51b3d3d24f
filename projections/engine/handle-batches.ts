import type { Pool } from 'pg';
import {
  partitionKey,
  type BusBatch,
  type Consumer,
  type Offset,
  type TopicPartition,
} from '@workledger/shared/event-bus/port.ts';
import { contexts } from '@workledger/shared/events/catalogue.ts';
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

/**
 * Read models as one consumer of the bus: reads a partition from where the one of them stands that is furthest back, and applies each
 * batch to all that stand before its end. Goes to where the progress stands when that is elsewhere.
 */
export function handleBatches(options: HandlingOptions): Handling {
  const { targets, pool, logger } = options;
  const skipping = createSkipping();
  const known = new Map<string, Offset>();
  const followersOf = new Map(
    contexts.map((topic) => [topic, targets.filter(({ projection }) => topicsOf(projection).includes(topic))]),
  );
  const followers = ({ topic }: TopicPartition): readonly Target[] => followersOf.get(topic) ?? [];

  async function handle(batch: BusBatch): Promise<Offset> {
    const own = followers(batch);
    if (own.length === 0) return batch.next;
    const counts = batch.events.some((event) => own.some(({ projection }) => follows(projection, event)));
    if (!counts && skipping.skip(batch)) return batch.next;
    const from = skipping.from(batch);
    // What fails is told by the bus, which brings the batch again.
    const together = await apply(own, batch, from);
    skipping.forget(batch);
    return together ? moved(batch) : applyApart(own, batch, from);
  }

  async function apply(own: readonly Target[], batch: BusBatch, from: Offset): Promise<boolean> {
    const applied = await applyBatch(pool, own, { ...batch, from }, batch.events);
    if (applied !== null) options.onApplied(applied);
    return applied !== null;
  }

  function moved(batch: BusBatch): Offset {
    known.set(partitionKey(batch), batch.next);
    return batch.next;
  }

  /** Where read models do not stand together, or somewhere else: each takes of the batch what it does not have. */
  async function applyApart(own: readonly Target[], batch: BusBatch, from: Offset): Promise<Offset> {
    const partition = partitionKey(batch);
    const stored = await stand(own, [batch]);
    const least = leastOf([...stored.values()].map((standing) => standing.get(partition) ?? 0n));
    if (least !== from) {
      known.set(partition, least);
      logger.info({ partition, from: String(batch.from), to: String(least) }, 'stale batch dropped');
      return least;
    }
    for (const [target, standing] of stored) {
      const offset = standing.get(partition) ?? 0n;
      if (offset < batch.next && !(await apply([target], batch, offset)))
        throw new Error(`projection ${target.projection.name}: ${partition} was moved by another worker meanwhile`);
    }
    return moved(batch);
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
