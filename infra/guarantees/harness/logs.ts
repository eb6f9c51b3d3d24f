import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';

/** How each engine's log is opened, as any process does it. @param address as `Ports.address` tells it */
export const openLog: Readonly<Record<string, (address: string) => Promise<EventLog>>> = {
  embedded: (address) => createPostgresEventLog({ connectionString: address, pollMilliseconds: 25 }),
};
