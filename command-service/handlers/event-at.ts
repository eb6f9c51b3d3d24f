import { LogBehind } from '@workledger/shared/event-log/errors.ts';
import type { EventLog } from '@workledger/shared/event-log/port.ts';
import { upcast } from '@workledger/shared/events/codec.ts';
import type { DomainEvent } from '@workledger/shared/contexts/define-events.ts';

/** The data of the event at a revision that is known to hold this type. @throws LogBehind when it is not there; RangeError when it is another one */
export async function eventAt<Event extends DomainEvent, Type extends Event['type']>(
  log: EventLog,
  stream: string,
  revision: number,
  type: Type,
): Promise<Extract<Event, { type: Type }>['data']> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 })) {
    if (event.type === type) return upcast(event).data;
    throw new RangeError(`${stream} has no ${type} at revision ${revision}`);
  }
  throw new LogBehind(stream, revision, revision - 1);
}
