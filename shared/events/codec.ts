import { definitionOf } from './catalogue.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import type { EventMetadata, NewEvent, RecordedEvent } from './recorded-event.ts';
import { derivedId } from '../contexts/stream.ts';

/**
 * Makes domain events ready to be appended: validated, versioned, with ids derived from the command's.
 * @param first revision that the first is to have, where a command id can come again for another append: the same append again
 *   has the same ids, another one others. Left out: it cannot
 * @throws ZodError when data does not fit its schema: a fault of the decider, not of the caller.
 */
export const encode = (
  stream: string,
  events: readonly DomainEvent[],
  metadata: EventMetadata,
  first?: number,
): NewEvent[] =>
  events.map((event, index) => {
    const { version, schema } = definitionOf(stream, event.type);
    const place = first === undefined ? [String(index)] : [stream, String(first + index)];
    return {
      id: derivedId('event', metadata.commandId, ...place),
      type: event.type,
      version,
      data: schema.parse(event.data),
      metadata,
    };
  });

/**
 * Brings an event of an older version to the current one; what it holds of another stream, too.
 * @throws UnknownEvent, RangeError on a version from the future.
 */
export function upcast(event: RecordedEvent): RecordedEvent {
  const { version, data, holds } = upcastData(event.stream, event.type, event.version, event.data);
  if (holds === true) return { ...event, version, data: withHeldUpcast(data as Held) };
  return event.version === version ? event : { ...event, version, data };
}

type Held = { readonly source: { readonly stream: string }; type: string; version?: number; data: unknown };

function withHeldUpcast(held: Held): Held {
  // Before versions were kept, all that was held had version 1.
  const { version, data } = upcastData(held.source.stream, held.type, held.version ?? 1, held.data);
  return { ...held, version, data };
}

function upcastData(stream: string, type: string, from: number, given: unknown) {
  const { version, past, holds } = definitionOf(stream, type);
  if (from > version) throw new RangeError(`${type} v${from} is newer than this program (v${version}): update it`);
  let data = given;
  for (let at = from; at < version; at++) {
    const step = past?.[at]?.upcast;
    if (step === undefined) throw new RangeError(`${type}: no upcaster from version ${at}`);
    data = step(data as never);
  }
  return { version, data, holds };
}
