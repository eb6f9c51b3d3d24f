import type { EventJson } from '@workledger/shared/events/event-json.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Client } from '@workledger/shared/client/client.ts';

/**
 * Of a log that others have used before, what a system itself wrote: events after its beginning, in streams that were not there,
 * and of no conversation that was there: its sagas go on with what they find, in new streams, too.
 */
export type OwnPart = { log(client: Client, after?: bigint): Promise<readonly EventJson[]> };

/** Call it before the system's first start. */
export async function ownPartOf(log: EventLog): Promise<OwnPart> {
  const beginning = await log.head();
  const streams = new Set<string>();
  const conversations = new Set<string>();
  for await (const { stream, metadata } of log.readAll({ until: beginning })) {
    streams.add(stream);
    conversations.add(metadata.correlationId);
  }
  const own = streams.size === 0 ? undefined : beginning;
  return {
    log: async (client, after = own) =>
      (await client.log(after)).filter(
        ({ stream, metadata }) => !streams.has(stream) && !conversations.has(metadata.correlationId),
      ),
  };
}
