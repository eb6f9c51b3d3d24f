import type { EventJson } from '@workledger/query-service/audit/event-json.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Client } from './client.ts';

/** Of a log that others have used before, what a system itself wrote: events after its beginning, in streams that were not there. */
export type OwnPart = { log(client: Client, after?: bigint): Promise<readonly EventJson[]> };

/** Call it before the system's first start. */
export async function ownPartOf(log: EventLog): Promise<OwnPart> {
  const beginning = await log.head();
  const foreign = new Set<string>();
  for await (const { stream } of log.readAll({ until: beginning })) foreign.add(stream);
  const own = foreign.size === 0 ? undefined : beginning;
  return {
    log: async (client, after = own) => (await client.log(after)).filter(({ stream }) => !foreign.has(stream)),
  };
}
