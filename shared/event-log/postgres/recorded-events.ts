import type { EventMetadata, RecordedEvent } from '../../events/recorded-event.ts';

/**
 * SQL for one event as a JSON array. A page of such lines is one value, read by one JSON.parse: half the work of a row each.
 * Stream and type are names without quotes, and data and metadata are JSON already.
 */
export const eventLine = `concat('[', position, ',"', stream, '",', revision, ',"', id, '","', type, '",', version, ',',
  floor(date_part('epoch', recorded_at) * 1000), ',', data, ',', metadata, ']')`;

type Line = [
  position: number,
  stream: string,
  revision: number,
  id: string,
  type: string,
  version: number,
  recordedAt: number,
  data: unknown,
  metadata: EventMetadata,
];

/** @param lines joined by commas; null when there are none */
export function toRecordedEvents(lines: string | null): RecordedEvent[] {
  if (lines === null) return [];
  const parsed = JSON.parse(`[${lines}]`) as Line[];
  return parsed.map(([position, stream, revision, id, type, version, recordedAt, data, metadata]) => ({
    id,
    type,
    version,
    stream,
    revision,
    // A position counts events from 1 and stays far below 2^53.
    position: BigInt(position),
    recordedAt: new Date(recordedAt),
    data,
    metadata,
  }));
}
