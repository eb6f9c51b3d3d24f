import { contextOf } from '../../events/catalogue.ts';
import type { Context } from '../../contexts/define-events.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import { bytesOf, messageOf, type PartitionedMessage } from './message.ts';

/** A broker takes 1 MiB a partition and request (`message.max.bytes`). */
const PARTITION_BYTES = 900_000;
const REQUEST_BYTES = 4_000_000;

export type Request = { readonly events: number; readonly messages: ReadonlyMap<Context, PartitionedMessage[]> };

/**
 * Cuts events into requests that a broker takes, in order. Made one by one: what is not yet sent is not yet encoded, unless the
 * caller has the messages already.
 * @throws RangeError for an event whose stream type is in no context
 */
export function* cutIntoRequests(
  events: readonly RecordedEvent[],
  encoded?: readonly PartitionedMessage[],
): Generator<Request> {
  let request = createRequest();
  for (const [index, event] of events.entries()) {
    const topic = contextOf(event.stream);
    if (topic === null)
      throw new RangeError(`stream "${event.stream}" is of no type of the catalogue: it has no topic`);
    const message = encoded?.[index] ?? messageOf(event);
    if (!request.fits(topic, message)) {
      yield request.done();
      request = createRequest();
    }
    request.add(topic, message);
  }
  if (events.length > 0) yield request.done();
}

function createRequest() {
  const messages = new Map<Context, PartitionedMessage[]>();
  const partitionBytes = new Map<string, number>();
  let bytes = 0;
  let events = 0;
  return {
    fits: (topic: Context, message: PartitionedMessage): boolean => {
      const more = bytesOf(message);
      const held = partitionBytes.get(`${topic}/${message.partition}`) ?? 0;
      return events === 0 || (held + more <= PARTITION_BYTES && bytes + more <= REQUEST_BYTES);
    },
    add: (topic: Context, message: PartitionedMessage): void => {
      const key = `${topic}/${message.partition}`;
      const more = bytesOf(message);
      partitionBytes.set(key, (partitionBytes.get(key) ?? 0) + more);
      bytes += more;
      events += 1;
      const ofTopic = messages.get(topic);
      if (ofTopic === undefined) messages.set(topic, [message]);
      else ofTopic.push(message);
    },
    done: (): Request => ({ events, messages }),
  };
}
