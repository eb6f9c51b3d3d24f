import type { ReadPool } from './until-closed.ts';
import type { RecordedEvent } from '../../events/recorded-event.ts';
import type { Direction } from '../port.ts';
import { eventLine, toRecordedEvents } from './recorded-events.ts';

const statement = (order: 'asc' | 'desc'): string => `
select string_agg(${eventLine}, ',' order by revision ${order}) as lines from (
  select * from event_log.events
  where stream = $1 and revision ${order === 'asc' ? '>=' : '<='} $2
  order by revision ${order} limit $3) as page`;

const forward = { name: 'read-stream-forward', text: statement('asc') };
const backward = { name: 'read-stream-backward', text: statement('desc') };

/** Up to `limit` events of a stream from a revision on, that one included. */
export async function readStreamPage(
  pool: ReadPool,
  stream: string,
  direction: Direction,
  from: number,
  limit: number,
): Promise<RecordedEvent[]> {
  const { name, text } = direction === 'forward' ? forward : backward;
  const { rows } = await pool.query<{ lines: string | null }>({ name, text, values: [stream, from, limit] });
  return toRecordedEvents(rows[0]?.lines ?? null);
}
