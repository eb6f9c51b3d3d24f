import { createEventStoreDbLog } from '@workledger/shared/event-log/eventstoredb/event-log.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { createPostgresEventLog } from '@workledger/shared/event-log/postgres/event-log.ts';
import { until } from '../processes/until.ts';

type OpenLog = (address: string) => Promise<EventLog>;

const inPostgres: OpenLog = (address) => createPostgresEventLog({ connectionString: address, pollMilliseconds: 25 });

/** How each engine's log is opened, as any process does it. @param address as `Ports.address` tells it */
export const openLog: Readonly<Record<string, OpenLog>> = {
  embedded: inPostgres,
  distributed: inPostgres,
  eventstoredb: (address) => createEventStoreDbLog({ connectionString: address }),
};

/**
 * Waits until nothing was appended for a while: what earlier commands led to has been done.
 * @param calmMilliseconds as the engine tells it
 * @returns the log's head
 */
export async function untilQuiet(log: EventLog, calmMilliseconds: number): Promise<bigint> {
  let head = -1n;
  let since = 0;
  return until('the log to be quiet', async () => {
    const now = await log.head();
    if (now !== head) since = performance.now();
    head = now;
    return performance.now() - since >= calmMilliseconds && head;
  });
}
