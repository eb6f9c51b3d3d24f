import type { EventMetadata } from '../../../events/recorded-event.ts';

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
