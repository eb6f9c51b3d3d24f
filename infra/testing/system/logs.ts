import { createEventStoreDbLog } from '@workledger/shared/event-log/eventstoredb/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';

type OpenLog = (address: string) => Promise<EventLog>;

const inPostgres: OpenLog = (address) => createPostgresEventLog({ connectionString: address, pollMilliseconds: 25 });

/** How each engine's log is opened, as any process does it. @param address as `Ports.address` tells it */
export const openLog: Readonly<Record<string, OpenLog>> = {
  embedded: inPostgres,
  distributed: inPostgres,
  eventstoredb: (address) => createEventStoreDbLog({ connectionString: address }),
};
