import pg from 'pg';
import { databaseConnection, WORK_TIMEOUT } from './database-pool.ts';
import { keepTrying } from './keep-trying.ts';
import { pause } from './pause.ts';
import { createWakeUps, type WakeUps } from './wake-ups.ts';

/** At most fifty notifications a second: each takes a lock of the whole database while it commits. Milliseconds. */
const SPACING = 20;
/** A connection that is closed in the middle of being opened may never say so. Milliseconds. */
const LAST_WORDS = 1_000;

type Notifier = {
  /** Connects and listens, if it does not yet. */
  start(): void;
  /** Tells the other processes that something was committed: at once, or a little later with what comes meanwhile. */
  notify(): void;
  isListening(): boolean;
  close(): Promise<void>;
};

type NotifierOptions = {
  readonly connectionString: string;
  /** A plain name: lower-case letters and underscores. All who use the same one in a database hear one another. */
  readonly channel: string;
  /** How the connection is named in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Another process has told something; or may have, while nobody listened. */
  readonly onNotification: () => void;
};

/**
 * Wake-ups between processes, on a connection of their own, outside of every transaction that they tell of. Only a hint: while
 * the connection is away (it comes back by itself), readers poll.
 */
export function createNotifier({
  connectionString,
  channel,
  applicationName,
  onNotification,
}: NotifierOptions): Notifier {
  const closing = new AbortController();
  const untilClosing = new Promise<void>((resolve) => {
    closing.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  let client: pg.Client | null = null;
  let isListening = false;
  let keeping: Promise<unknown> | null = null;
  let sending: Promise<void> | null = null;
  let pending = false;

  /** On one connection. @throws when it is lost: the server is away, polling goes on */
  const keepListening = async (worked: () => void): Promise<void> => {
    const connection = new pg.Client(
      databaseConnection({ connectionString, applicationName, queryTimeout: WORK_TIMEOUT }),
    );
    const lost = new Promise<never>((_, reject) => {
      connection.on('error', reject);
      connection.on('end', () => reject(new Error('the connection has ended')));
    });
    lost.catch(() => undefined);
    client = connection;
    try {
      await Promise.race([listen(connection), untilClosing]);
      isListening = !closing.signal.aborted;
      worked();
      onNotification();
      await Promise.race([lost, untilClosing]);
    } finally {
      isListening = false;
      await Promise.race([connection.end().catch(() => undefined), pause(LAST_WORDS)]);
    }
  };

  const listen = async (connection: pg.Client): Promise<void> => {
    await connection.connect();
    connection.on('notification', ({ processId }) => {
      if (processId !== ownProcessId(connection)) onNotification();
    });
    await connection.query(`set synchronous_commit = off; listen ${channel}`);
  };

  const send = async (): Promise<void> => {
    while (pending && !closing.signal.aborted) {
      pending = false;
      const sent = isListening ? client?.query(`notify ${channel}`).catch(() => undefined) : undefined;
      await Promise.all([sent, pause(SPACING, closing.signal)]);
    }
    sending = null;
  };

  const start = (): void => {
    keeping ??= keepTrying(keepListening, { signal: closing.signal, shortest: 50, longest: 2_000 });
  };

  return {
    start,
    notify: () => {
      start();
      pending = true;
      sending ??= send();
    },
    isListening: () => isListening,
    close: async () => {
      closing.abort();
      await keeping;
      await sending;
    },
  };
}

const ownProcessId = (client: pg.Client): number | undefined =>
  'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;

export type PostgresWakeUps = WakeUps & { close(): Promise<void> };

type PostgresWakeUpsOptions = {
  /** The database of the read models. */
  readonly connectionString: string;
  /** How the connection is named in `pg_stat_activity`. */
  readonly applicationName: string;
};

/**
 * Wake-ups between processes: what projections wake in one, readers hear in all. At most fifty are sent a second; while the
 * database is away there are none, and it is connected again in the background.
 */
export function createPostgresWakeUps({ connectionString, applicationName }: PostgresWakeUpsOptions): PostgresWakeUps {
  const own = createWakeUps();
  const notifier = createNotifier({
    connectionString,
    channel: 'read_models',
    applicationName,
    onNotification: own.wake,
  });
  notifier.start();
  return {
    wake: () => {
      own.wake();
      notifier.notify();
    },
    count: own.count,
    next: own.next,
    close: notifier.close,
  };
}
