import type { RecordedEvent } from './recorded-event.ts';

/** Names, ids and metadata, whatever the event. */
const ENVELOPE = 700;

/** About how many bytes an event has once it is encoded: exact enough to bound what is held, without encoding it. */
export const eventSize = ({ data }: Pick<RecordedEvent, 'data'>): number => ENVELOPE + sizeOf(data);

/** The same of several. */
export const sizeOfEvents = (events: readonly Pick<RecordedEvent, 'data'>[]): number =>
  events.reduce((sum, event) => sum + eventSize(event), 0);

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + 2;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 2;
  if (Array.isArray(value)) for (const item of value as readonly unknown[]) size += sizeOf(item) + 1;
  else for (const [name, item] of Object.entries(value)) size += name.length + 4 + sizeOf(item);
  return size;
}

/** About the bytes that a value takes in memory; what stands in it twice is counted twice. */
export function sizeInMemory(value: unknown): number {
  if (typeof value === 'string') return 24 + value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let size = 48;
  if (value instanceof Map) for (const [key, inner] of value) size += 32 + sizeInMemory(key) + sizeInMemory(inner);
  else if (Array.isArray(value)) for (const inner of value) size += sizeInMemory(inner);
  else for (const inner of Object.values(value)) size += 16 + sizeInMemory(inner);
  return size;
}
