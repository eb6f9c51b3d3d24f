import type { Pool } from 'pg';
import { madeAnew } from '@workledger/shared/consumption/topics.ts';
import { contexts } from '@workledger/shared/events/catalogue.ts';
import { firstEventId, WrongLog } from '@workledger/shared/event-log/first-event-id.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Outage } from '@workledger/shared/resilience/outages/outages.ts';
import { keepTrying } from '@workledger/shared/resilience/keep-trying.ts';
import type { Logger } from '@workledger/shared/telemetry/logger.ts';
import {
  checkpointsTopics,
  demandLastEvent,
  isCheckpointsLog,
  lastPublished,
  takeTopics,
  type LogFacts,
} from './checkpoint.ts';
import type { Lease } from './lease.ts';
import type { RelayBus } from './send-all.ts';

export type TermOptions = {
  readonly log: Pick<EventLog, 'subscribe' | 'readAll' | 'readStream' | 'head'>;
  readonly bus: RelayBus;
  readonly pool: Pool;
  readonly lease: Lease;
  /** As the lease was taken: exclusive. */
  readonly checkpoint: bigint;
  readonly outages: { readonly database: Outage; readonly bus: Outage; readonly log: Outage };
  readonly logger: Logger;
};

/** Where a term starts, and what it has to watch. */
export type Term = {
  readonly checkpoint: bigint;
  /** Whether the topics are still the ones that the checkpoint is about. @throws Error when the bus does not answer */
  areTopicsSame(): Promise<boolean>;
  /** Takes note of the log's first event once there is one. */
  knowLog(): Promise<void>;
};

/**
 * Looks whether log and topics are those that the checkpoint is about; waits for servers that are away.
 * @returns null when the signal aborted or the lease was lost first
 * @throws WrongLog
 */
export async function beginTerm(options: TermOptions, over: AbortSignal): Promise<Term | null> {
  const { log, bus, pool, lease, outages, logger } = options;
  let { checkpoint } = options;
  const step = async <Result>(outage: Outage, work: () => Promise<Result>): Promise<Result> => {
    try {
      const result = await work();
      outage.worked(null);
      return result;
    } catch (error) {
      if (!(error instanceof WrongLog)) outage.failed(null, error);
      throw error;
    }
  };
  const logFacts = async (): Promise<LogFacts> => ({ first: await firstEventId(log, over), head: await log.head() });
  const topicIds = (): Promise<ReadonlyMap<string, string>> => bus.topicIds?.(contexts) ?? Promise.resolve(new Map());

  const begin = async (): Promise<Term | null> => {
    const facts = await step(outages.log, logFacts);
    let isLogKnown = await step(outages.database, () => isCheckpointsLog(pool, facts, lease.epoch, checkpoint));
    const last = await step(outages.database, () => lastPublished(pool));
    if (last !== null) await step(outages.log, () => demandLastEvent(log, last));
    const ids = await step(outages.bus, topicIds);
    // Of topics that it does not know yet, the checkpoint is taken to be about those that are there.
    const known = new Map([...ids, ...(await step(outages.database, () => checkpointsTopics(pool)))]);
    const anew = madeAnew(known, ids).length > 0;
    if (!(await step(outages.database, () => takeTopics(pool, lease.epoch, ids, anew)))) {
      lease.lose();
      return null;
    }
    if (anew) {
      logger.warn({ checkpoint }, 'the Kafka topics were made anew: publishing the whole log again, from its start');
      checkpoint = 0n;
    }
    return {
      checkpoint,
      areTopicsSame: async () => madeAnew(await topicIds(), ids).length === 0,
      knowLog: async () => {
        isLogKnown ||= await isCheckpointsLog(pool, await logFacts(), lease.epoch, 0n);
      },
    };
  };
  return keepTrying(begin, {
    signal: over,
    shortest: 100,
    longest: 2_000,
    retryWhile: (error) => !(error instanceof WrongLog),
  });
}
