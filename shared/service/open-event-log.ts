import type { EventLog } from '../event-log/port.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import type { Service } from './run-service.ts';

type Needed = Pick<Service<never>, 'name' | 'logger' | 'dependOn' | 'onClose'> & {
  readonly environment: { readonly DATABASE_URL: string; readonly EVENTSTOREDB_URL?: string | undefined };
};

/** The event log of the environment, as dependency `event-log`: EventStoreDB, or PostgreSQL where EVENTSTOREDB_URL is not set. */
export async function openEventLog({ name, environment, dependOn, onClose }: Needed): Promise<EventLog> {
  const open = (): Promise<EventLog> =>
    createPostgresEventLog({
      connectionString: environment.DATABASE_URL,
      applicationName: `workledger ${name} event log`,
    });
  const log = await dependOn('event-log', open, (opened) => opened.head());
  onClose(() => log.close());
  return log;
}
