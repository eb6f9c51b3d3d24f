import type { ReadPool } from './until-closed.ts';
import type { EventFilter } from '../port.ts';
import { eventLine } from './recorded-events.ts';

// One statement, one snapshot: the head and what is below it belong together. A stream is its type, a dash and 36 characters.
const text = `
select (select position from event_log.head) as head, (
  select string_agg(${eventLine}, ',' order by position) from event_log.events
  where position > $1 and position <= $2
    and ($3::text[] is null or type = any ($3)) and ($4::text[] is null or left(stream, -37) = any ($4))
) as lines`;

export type Page = {
  /** What `toRecordedEvents` reads: the caller sends for the next page first. */
  readonly lines: string | null;
  /** Everything up to here was looked at. */
  readonly next: bigint;
  /** Position of the log's last event at that moment. */
  readonly head: bigint;
  /** Characters that came over the wire. */
  readonly size: number;
};

/** The events of a range of positions that pass the filter. Positions have no gaps, so a range bounds the work. */
export async function readPage(pool: ReadPool, after: bigint, until: bigint, filter: EventFilter): Promise<Page> {
  const values = [after, until, filter.types ?? null, filter.streams ?? null];
  const { rows } = await pool.query<{ head: string; lines: string | null }>({ name: 'read-page', text, values });
  const row = rows[0];
  if (row === undefined) throw new Error('event_log.head has no row');
  const head = BigInt(row.head);
  const seen = until < head ? until : head;
  return { lines: row.lines, next: seen > after ? seen : after, head, size: row.lines?.length ?? 0 };
}
