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
