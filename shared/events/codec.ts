import { definitionOf, findDefinition } from './catalogue.ts';
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
 * An event that a newer program wrote, of a type, a stream type or a version that this one does not know. It is not broken: whoever
 * follows its stream waits until this program is updated.
 */
export class FromTheFuture extends Error {
  override name = 'FromTheFuture';
}

/** Why this program does not know an event; null: it does. What the event holds of another stream is not looked at. */
export function fromTheFuture({
  stream,
  type,
  version,
}: Pick<RecordedEvent, 'stream' | 'type' | 'version'>): FromTheFuture | null {
  const definition = findDefinition(stream, type);
  if (definition !== null && version <= definition.version) return null;
  const instead = definition === null ? 'does not know it' : `knows versions up to ${definition.version}`;
  return new FromTheFuture(
    `event ${type} v${version} of stream ${stream} is from a newer version: this program ${instead}; update it`,
  );
}

/**
 * Brings an event of an older version to the current one; what it holds of another stream, too.
 * @throws FromTheFuture on what this program does not know; whatever an upcaster throws.
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
  const future = fromTheFuture({ stream, type, version: from });
  if (future !== null) throw future;
  const { version, past, holds } = definitionOf(stream, type);
  let data = given;
  for (let at = from; at < version; at++) {
    const step = past?.[at]?.upcast;
    if (step === undefined) throw new RangeError(`${type}: no upcaster from version ${at}`);
    data = step(data as never);
  }
  return { version, data, holds };
}
