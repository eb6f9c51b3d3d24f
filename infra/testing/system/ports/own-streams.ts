import type { EventLog } from '@workledger/shared/event-log/port.ts';
import type { RecordedEvent } from '@workledger/shared/events/recorded-event.ts';

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
