import type { EventJson } from '@workledger/shared/events/event-json.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { Client } from '@workledger/shared/client/client.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

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

/** What one test sees of a log that others use, too: what came after its beginning, in the streams that it wrote. */
export type OwnStreams = { of(log: EventLog): EventLog; readonly start: bigint };

export async function createOwnStreams({ head }: EventLog): Promise<OwnStreams> {
  const start = await head();
  const streams = new Set<string>();
  const isOwn = ({ stream }: RecordedEvent): boolean => streams.has(stream);
  const notBefore = (after = 0n): bigint => (after < start ? start : after);
  return {
    start,
    of: (log) => ({
      ...log,
      append: (stream, events, expected) => {
        streams.add(stream);
        return log.append(stream, events, expected);
      },
      async *readAll(options = {}) {
        for await (const event of log.readAll({ ...options, after: notBefore(options.after) }))
          if (isOwn(event)) yield event;
      },
      async *subscribe(options) {
        for await (const batch of log.subscribe({ ...options, after: notBefore(options.after) }))
          yield { ...batch, events: batch.events.filter(isOwn) };
      },
    }),
  };
}
