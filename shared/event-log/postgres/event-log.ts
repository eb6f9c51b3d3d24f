import { migrate } from '../../migrations/migrate.ts';
import { parseStream } from '../../contexts/stream.ts';
import { createDatabasePool, ANSWER_TIMEOUT } from '../../resilience/database-pool.ts';
import type { Outages } from '../../resilience/outages/outages.ts';
import { createNotifier } from '../../resilience/notifier.ts';
import { checkAppend } from '../check-append.ts';
import type { EventLog, ReadStreamOptions } from '../port.ts';
import { eventLogMigrations } from './migrations.ts';
import { lookAtHead, readAll, readHead, type ReadPool, readStream, untilClosed } from './read.ts';
import { createHeadWatch, subscribe } from './subscribe.ts';
import { createWakeUps } from '../../resilience/wake-ups.ts';
import { openWriteConnection } from './write-connection.ts';
import { startWriter } from './writer.ts';

export type PostgresEventLogOptions = {
  readonly connectionString: string;
  /** How often subscriptions look together when nothing wakes them up, in milliseconds; default 2,000. */
  readonly pollMilliseconds?: number;
  /** How the connections are named in `pg_stat_activity`; default `workledger-event-log`. */
  readonly applicationName?: string;
  /** Connections for reading; default 4. One for writing and one for wake-ups come on top. */
  readonly readConnections?: number;
  /** How long an append tries to get over a lost connection before it throws OutcomeUnknown, in milliseconds; default 5,000. */
  readonly patienceMilliseconds?: number;
  /** Takes note, as `postgresql`, of how the server answers. */
  readonly outages?: Outages;
};

/** While no wake-up can come from other processes, polling is quicker. Milliseconds. */
const POLL_WITHOUT_WAKE_UPS = 50;

/** Opens the event log in a PostgreSQL database, after bringing its tables (SQL schema `event_log`) up to date. */
export async function createPostgresEventLog(options: PostgresEventLogOptions): Promise<EventLog> {
  const { connectionString } = options;
  const applicationName = options.applicationName ?? 'workledger-event-log';
  const poll = options.pollMilliseconds ?? 2_000;
  await migrate(connectionString, 'event_log', eventLogMigrations);

  const { outages } = options;
  const max = options.readConnections ?? 4;
  const pool = createDatabasePool({ connectionString, max, applicationName, outages, queryTimeout: ANSWER_TIMEOUT });
  const notifier = createNotifier({
    connectionString,
    channel: 'event_log',
    applicationName,
    onNotification: () => wakeUps.wake(),
  });
  const wakeUps = createWakeUps();
  const writer = startWriter(openWriteConnection(connectionString, applicationName, outages), pool, {
    patience: options.patienceMilliseconds ?? 5_000,
    onCommit: () => {
      wakeUps.wake();
      notifier.notify();
    },
  });
  const closing = new AbortController();
  const reading = untilClosed(pool, closing.signal);
  const watch = createHeadWatch(() => lookAtHead(reading), {
    wakeUps,
    poll: () => (notifier.isListening() ? poll : Math.min(poll, POLL_WITHOUT_WAKE_UPS)),
    signal: closing.signal,
  });

  return {
    append: async (stream, events, expected) => writer.append(checkAppend(stream, events, expected)),
    readStream: (stream, streamOptions = {}) => readKnownStream(reading, stream, streamOptions),
    readAll: (readOptions = {}) => readAll(reading, readOptions),
    subscribe: (subscribeOptions) => {
      notifier.start();
      const signal = AbortSignal.any([subscribeOptions.signal, closing.signal]);
      return subscribe(reading, watch, { ...subscribeOptions, signal });
    },
    head: () => readHead(reading),
    close: async () => {
      closing.abort();
      await writer.close();
      await notifier.close();
      await pool.end();
    },
  };
}

/** A name that no stream can have (it may hold what SQL refuses) has no events. */
async function* readKnownStream(
  pool: ReadPool,
  stream: string,
  options: ReadStreamOptions,
): ReturnType<typeof readStream> {
  try {
    parseStream(stream);
  } catch {
    return;
  }
  yield* readStream(pool, stream, options);
}
