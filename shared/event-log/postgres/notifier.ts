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
  let listening: pg.Client | null = null;
  let keeping: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let pending = false;

  const keepListening = async (): Promise<void> => {
    for (let attempt = 0; !closing.signal.aborted; attempt++) {
      const client = new pg.Client({
        connectionString,
        application_name: applicationName,
        connectionTimeoutMillis: 5_000,
      });
      const lost = new Promise<void>((resolve) => {
        client.on('error', () => resolve());
        client.on('end', () => resolve());
        closing.signal.addEventListener('abort', () => resolve(), { once: true });
      });
      try {
        await client.connect();
        client.on('notification', ({ processId }) => {
          if (processId !== ownProcessId(client)) onNotification();
        });
        await client.query(`set synchronous_commit = off; listen ${CHANNEL}`);
        listening = client;
        attempt = 0;
        onNotification();
        await lost;
      } catch {
        // The server is away: polling goes on.
      }
      listening = null;
      await client.end().catch(() => undefined);
      await pause(backOff(attempt, 50, 2_000), closing.signal);
    }
  };

  const send = (): void => {
    pending = false;
    timer = setTimeout(() => {
      timer = null;
      if (pending) send();
    }, SPACING);
    listening?.query(`notify ${CHANNEL}`).catch(() => undefined);
  };

  const start = (): void => {
    keeping ??= keepListening();
  };

  return {
    start,
    notify: () => {
      start();
      pending = true;
      if (timer === null) send();
    },
    isListening: () => listening !== null,
    close: async () => {
      closing.abort();
      if (timer !== null) clearTimeout(timer);
      await keeping;
    },
  };
}

const ownProcessId = (client: pg.Client): number | undefined =>
  'processID' in client && typeof client.processID === 'number' ? client.processID : undefined;
