import type { AllStreamResolvedEvent, ResolvedEvent } from '@eventstore/db-client';
import type { RecordedEvent, EventMetadata } from '../../../events/recorded-event.ts';
import { parseStream } from '../../../contexts/stream.ts';

/** What a server older than 22.6 gives as the position of an event that was read from its stream. */
const NO_POSITION = 2n ** 64n - 1n;

/**
 * An event as the port gives it; null when it is none of ours: others may use the same server.
 * @throws Error when the server is too old to say its position
 */
export function toRecordedEvent({ event }: ResolvedEvent | AllStreamResolvedEvent): RecordedEvent | null {
  if (!event?.isJson || !isOurs(event.streamId)) return null;
  const stored = fromStoredMetadata(event.metadata);
  if (stored === null) return null;
  const position = event.position?.commit ?? NO_POSITION;
  if (position === NO_POSITION)
    throw new Error(`event ${event.id} comes without a position: use EventStoreDB 23.10 or newer`);
  return {
    id: event.id,
    type: event.type,
    version: stored.version,
    stream: event.streamId,
    revision: Number(event.revision),
    position,
    recordedAt: event.created,
    data: event.data,
    metadata: stored.metadata,
  };
}

function isOurs(stream: string): boolean {
  try {
    parseStream(stream);
    return true;
  } catch {
    return false;
  }
}

/** The version of the event's schema has no place of its own in EventStoreDB: it leads the metadata. */
const VERSION = 'schemaVersion';

/** @param metadata JSON text of an object */
export function toStoredMetadata(version: number, metadata: string): string {
  const rest = metadata.slice(1);
  return `{"${VERSION}":${version}${rest === '}' ? '' : ','}${rest}`;
}

/** Null when the event was not written by this adapter. */
export function fromStoredMetadata(stored: unknown): { version: number; metadata: EventMetadata } | null {
  if (typeof stored !== 'object' || stored === null || !(VERSION in stored)) return null;
  const { [VERSION]: version, ...metadata } = stored;
  if (typeof version !== 'number' || !Number.isInteger(version)) return null;
  return { version, metadata: metadata as EventMetadata };
}
