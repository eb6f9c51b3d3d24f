import type { EventLog } from '../event-log/port.ts';
import { createPostgresEventLog } from '../event-log/postgres/event-log.ts';
import type { Service } from './run-service.ts';

type Needed = Pick<Service<never>, 'name' | 'outages' | 'dependOn' | 'onClose'> & {
  readonly environment: { readonly DATABASE_URL: string; readonly EVENTSTOREDB_URL?: string | undefined };
};

/** The event log of the environment, as dependency `event-log`: EventStoreDB, or PostgreSQL where EVENTSTOREDB_URL is not set. */
export function openEventLog(service: Needed): Promise<EventLog> {
  const { EVENTSTOREDB_URL } = service.environment;
  return EVENTSTOREDB_URL === undefined ? inPostgres(service) : inEventStoreDb(service, EVENTSTOREDB_URL);
}

/** Its tables are made when it is opened: the server must be there. */
async function inPostgres({ name, environment, outages, dependOn, onClose }: Needed): Promise<EventLog> {
  outages.join('event-log', 'postgresql');
  const open = (): Promise<EventLog> =>
    createPostgresEventLog({
      connectionString: environment.DATABASE_URL,
      applicationName: `workledger ${name} event log`,
      outages,
    });
  const log = await dependOn('event-log', open, (opened) => opened.head());
  onClose(() => log.close(), 'the event log');
  return log;
}

async function inEventStoreDb({ outages, dependOn, onClose }: Needed, connectionString: string): Promise<EventLog> {
  // Its client is the largest of all packages: only who uses it loads it.
  const { createEventStoreDbLog } = await import('../event-log/eventstoredb/event-log.ts');
  const log = await createEventStoreDbLog({
    connectionString,
    onError: (error) => outages.of('event-log').failed(null, error),
  });
  onClose(() => log.close(), 'the event log');
  await dependOn('event-log', () => log.head());
  return log;
}
