import pg from 'pg';
import { backOff, pause } from '../../resilience/pause.ts';

const CHANNEL = 'event_log';
/** At most fifty notifications a second: each takes a lock of the whole database while it commits. Milliseconds. */
const SPACING = 20;

export type Notifier = {
  /** Connects and listens, if it does not yet. */
  start(): void;
  /** Tells the other processes that something was committed: at once, or a little later with what comes meanwhile. */
  notify(): void;
  isListening(): boolean;
  close(): Promise<void>;
};

/**
 * Wake-ups between processes, on a connection of their own, outside of every append's transaction. Only a hint: while the
 * connection is away (it comes back by itself), readers poll.
 */
export function createNotifier(
  connectionString: string,
  applicationName: string,
  onNotification: () => void,
): Notifier {
  const closing = new AbortController();
  let client: pg.Client | null = null;
  let isListening = false;
  let keeping: Promise<void> | null = null;
  let sending: Promise<void> | null = null;
  let pending = false;

  const keepListening = async (): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      const connection = new pg.Client({
        connectionString,
        application_name: applicationName,
        connectionTimeoutMillis: 5_000,
      });
      const lost = new Promise<void>((resolve) => {
        connection.on('error', () => resolve());
        connection.on('end', () => resolve());
      });
      client = connection;
      try {
        await listen(connection);
        isListening = true;
        attempt = 0;
        onNotification();
        await lost;
      } catch {
        // The server is away: polling goes on.
      }
      isListening = false;
      await connection.end().catch(() => undefined);
      await pause(backOff(attempt, 50, 2_000), closing.signal);
    }
  };

  const listen = async (connection: pg.Client): Promise<void> => {
    await connection.connect();
    connection.on('notification', ({ processId }) => {
      if (processId !== ownProcessId(connection)) onNotification();
    });
    await connection.query(`set synchronous_commit = off; listen ${CHANNEL}`);
  };

  const send = async (): Promise<void> => {
    while (pending && !closing.signal.aborted) {
      pending = false;
      const sent = isListening ? client?.query(`notify ${CHANNEL}`).catch(() => undefined) : undefined;
      await Promise.all([sent, pause(SPACING, closing.signal)]);
    }
    sending = null;
  };

  const start = (): void => {
    keeping ??= keepListening();
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
      await client?.end().catch(() => undefined);
      await sending;
      await keeping;
    },
  };
}

const ownProcessId = (client: pg.Client): number | undefined =>
  'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
