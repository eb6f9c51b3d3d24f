import { createHash } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { Pool } from 'pg';
import { keepFollowing } from '@workledger/shared/consumption/keep-following.ts';
import { knownTopics, madeAnew } from '@workledger/shared/consumption/topics.ts';
import { createWaiting, type WaitingOptions } from '@workledger/shared/consumption/waiting.ts';
import { OffsetOutOfRange, partitionKey, type EventBus, type Offset } from '@workledger/shared/event-bus/port.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { contexts } from '@workledger/shared/events/catalogue.ts';
import { FromTheFuture } from '@workledger/shared/events/codec.ts';
import type { Outages } from '@workledger/shared/resilience/outages/outages.ts';
import { createWakeUps } from '@workledger/shared/resilience/wake-ups.ts';
import type { Applied } from './apply-batch.ts';
import { catchUp } from './catch-up.ts';
import { handleBatches, type EngineLogger } from './handle-batches.ts';
import { targetOf, topicsOf, type Projection, type Target } from './projection.ts';
import { isCaughtUp, knownTopicsOf, returnToLog, type Standing, standings, topicIdsOf } from './progress.ts';
import { runRedrives } from './redrive.ts';

export type RunOptions = Pick<WaitingOptions, 'onWaiting'> & {
  readonly projections: readonly Projection[];
  readonly log: EventLog;
  readonly bus: EventBus;
  readonly pool: Pool;
  /** Ends it after the batches in flight. */
  readonly signal: AbortSignal;
  readonly logger: EngineLogger;
  /** The process's own: what it knows as an outage is not told here. */
  readonly outages?: Outages;
  /** Called after each commit that changed something: a hint for those who wait. */
  readonly onApplied?: () => void;
  /** Schema of the tables; default: the live ones. */
  readonly schema?: string;
};

/** Read models that have caught up wait so long for others before they follow the bus, in milliseconds: joining costs a while. */
const LONGEST_WAIT = 1_000;

/**
 * Keeps read models up to date until the signal aborts. Each one that is new, or behind, catches up from the log by itself; those that
 * have follow the bus as one consumer, which reads every partition once. A read model that has caught up joins them, one that the bus
 * cannot serve goes back to the log. Servers that go away are waited for, and so is the update that an event from the future needs.
 * Parked streams are tried again when an operator asks for it.
 */
export async function runProjections(options: RunOptions): Promise<void> {
  const { projections, log, bus, pool, logger, outages, schema } = options;
  const signal = AbortSignal.any([options.signal]);
  // Every read model listens: that many are no leak.
  setMaxListeners(0, signal);
  const targets = projections.map((projection) => targetOf(projection, schema));
  // Of all, whether they have caught up or not: members of a group read the same topics.
  const topics = contexts.filter((context) => projections.some((projection) => topicsOf(projection).includes(context)));
  const group = groupOf(projections);
  const live = new Set<Target>();
  const changes = createWakeUps();
  const waiting = createWaiting({ group: 'projections', logger, onWaiting: options.onWaiting });
  const sendBack = (target: Target): void => {
    live.delete(target);
    changes.wake();
  };
  const onApplied = ({ parked, applied }: Applied): void => {
    for (const mark of parked) logger.error(mark, 'stream parked: its later events wait in the log');
    if (applied > 0 || parked.length > 0) options.onApplied?.();
  };

  const keepCaughtUp = (target: Target): Promise<void> =>
    keepFollowing(
      async (progressed) => {
        const noted = (applied: Applied): void => {
          progressed();
          onApplied(applied);
        };
        if (!live.has(target)) await catchUp(target, { log, bus, pool, logger, signal, waiting, onApplied: noted });
        live.add(target);
        changes.wake();
        while (live.has(target) && !signal.aborted) await changes.next(null, signal);
      },
      { signal, outages, onFailed: tell({ projection: target.projection.name }) },
    );

  /** At a start most have caught up: one statement says so of all of them. Where it fails, each asks for itself. */
  async function findWhoHasCaughtUp(): Promise<void> {
    const standing = await standings(pool, targets).catch(() => new Map<Target, Standing>());
    for (const [target, places] of standing) if (isCaughtUp(target, places)) live.add(target);
  }

  /** Follows the bus with those that have caught up, until they are others. */
  async function follow(progressed: () => void): Promise<void> {
    if (live.size === 0) await someAreLive();
    if (signal.aborted) return;
    const leaving = new AbortController();
    const over = AbortSignal.any([signal, leaving.signal]);
    const seen = changes.count();
    const own = [...live];
    const now = await bus.topicIds(topics);
    if (await sendBackWhereTopicsWereMadeAnew(own, now)) return;
    const isFollowed = own.flatMap(({ projection }) => topicsOf(projection));
    const others = topics.filter((topic) => !isFollowed.includes(topic));
    const ends = others.length === 0 ? new Map<string, Offset>() : await bus.endOffsets(others);
    const { consumer, known } = handleBatches({
      ...{ targets: own, pool, logger, ends, waiting },
      onApplied: (applied) => {
        progressed();
        onApplied(applied);
      },
      onReturnedToLog: (target) => {
        sendBack(target);
        leaving.abort();
      },
    });
    const joining = leaveWhenOthersJoin(seen, leaving);
    try {
      await bus.consume({ group, topics, topicIds: now, signal: over }, consumer);
    } catch (error) {
      if (error instanceof OffsetOutOfRange && madeAnew(now, await bus.topicIds(topics)).length === 0)
        for (const target of own) {
          const lost = error.partitions.filter(({ topic }) => topicsOf(target.projection).includes(topic));
          if (lost.length === 0) continue;
          const places = lost.map(partitionKey);
          // Of several workers that meet it one returns; the others find that it has.
          await returnToLog(pool, target, { offsets: new Map([...known].filter(([place]) => places.includes(place))) });
          sendBack(target);
        }
      throw error;
    } finally {
      leaving.abort();
      await joining;
    }
  }

  async function sendBackWhereTopicsWereMadeAnew(
    own: readonly Target[],
    now: Awaited<ReturnType<EventBus['topicIds']>>,
  ): Promise<boolean> {
    const stored = await topicIdsOf(pool, own);
    for (const target of own) {
      const followed = topicsOf(target.projection);
      const present = new Map([...now].filter(([topic]) => followed.includes(topic)));
      const bus = { topicIds: async () => present };
      const known = await knownTopics(followed, knownTopicsOf(pool, target), bus, stored.get(target));
      const anew = madeAnew(known, present);
      if (anew.length === 0) continue;
      logger.error(
        { projection: target.projection.name, topics: anew },
        'topics were made anew: catching up from the log',
      );
      await returnToLog(pool, target, { topics: new Map([...known].filter(([topic]) => anew.includes(topic))) });
      sendBack(target);
    }
    return own.some((target) => !live.has(target));
  }

  async function someAreLive(): Promise<void> {
    while (live.size === 0 && !signal.aborted) await changes.next(null, signal);
    await othersHaveCome(signal);
  }

  async function leaveWhenOthersJoin(seen: number, leaving: AbortController): Promise<void> {
    await changes.next(null, AbortSignal.any([signal, leaving.signal]), seen);
    await othersHaveCome(AbortSignal.any([signal, leaving.signal]));
    leaving.abort();
  }

  async function othersHaveCome(over: AbortSignal): Promise<void> {
    const latest = performance.now() + LONGEST_WAIT;
    for (let left = LONGEST_WAIT; left > 0 && live.size < targets.length && !over.aborted;) {
      await changes.next(left, over);
      left = latest - performance.now();
    }
  }

  const tell =
    (facts: object) =>
    (err: unknown, retryInMs: number): void => {
      if (!(err instanceof FromTheFuture))
        logger.error({ err, ...facts, retryInMs }, 'projection stopped: starting it again');
    };

  /** Those that have caught up before wait for the others once: to join, and to join again with them, costs more. */
  async function keepFollowingTogether(): Promise<void> {
    if (live.size > 0) await othersHaveCome(signal);
    await keepFollowing(follow, { signal, outages, onFailed: tell({ group }) });
  }

  await findWhoHasCaughtUp();
  await Promise.all([
    ...targets.map(keepCaughtUp),
    keepFollowingTogether(),
    runRedrives({ targets, log, pool, logger, outages, signal, onApplied }),
  ]);
}

/** Programs that run other read models are other groups: none keeps a partition from what only another one knows. */
function groupOf(projections: readonly Projection[]): string {
  const names = projections.map(({ name, version }) => `${name}-v${version}`).toSorted();
  return `projections-${createHash('sha256').update(names.join()).digest('hex').slice(0, 8)}`;
}
