import { createNotifier } from '../resilience/notifications/notifier.ts';
import { createWakeUps, type WakeUps } from '../resilience/wake-ups.ts';

export type PostgresWakeUps = WakeUps & { close(): Promise<void> };

export type PostgresWakeUpsOptions = {
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
