import { definitionOf } from './catalogue.ts';
import type { DomainEvent } from '../contexts/define-events.ts';
import type { EventMetadata, NewEvent, RecordedEvent } from './recorded-event.ts';
import { derivedId } from '../contexts/stream.ts';

/**
 * Makes domain events ready to be appended: validated, versioned, with ids derived from the command's.
 * @throws ZodError when data does not fit its schema: a fault of the decider, not of the caller.
 */
export const encode = (stream: string, events: readonly DomainEvent[], metadata: EventMetadata): NewEvent[] =>
  events.map((event, index) => {
    const { version, schema } = definitionOf(stream, event.type);
    return {
      id: derivedId('event', metadata.commandId, String(index)),
      type: event.type,
      version,
      data: schema.parse(event.data),
      metadata,
    };
  });

/** Brings an event of an older version to the current one. @throws UnknownEvent, RangeError on a version from the future. */
export function upcast(event: RecordedEvent): RecordedEvent {
  const definition = definitionOf(event.stream, event.type);
  if (event.version === definition.version) return event;
  if (event.version > definition.version)
    throw new RangeError(
      `${event.type} v${event.version} is newer than this program (v${definition.version}): update it`,
    );
  let data = event.data;
  for (let version = event.version; version < definition.version; version++) {
    const step = definition.upcast?.[version];
    if (step === undefined) throw new RangeError(`${event.type}: no upcaster from version ${version}`);
    data = step(data as never);
  }
  return { ...event, version: definition.version, data };
}
