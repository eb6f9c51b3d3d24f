import type pg from 'pg';
import type { CheckedAppend } from '../check-append.ts';
import { RevisionConflict } from '../errors.ts';
import type { AppendResult } from '../port.ts';
import { expectedNumber } from './outcome.ts';

const text = `
select revision, position, id from event_log.events
where stream = $1 and (
  revision between $2::integer + 1 and $2::integer + $3::integer
  or revision = (select max(revision) from event_log.events where stream = $1))
order by revision`;

type Row = { revision: number; position: string; id: string };

/**
 * Tells a repeat from a conflict after an append was refused: the same ids right after the expected revision are the same
 * append, written before. What is in a stream never changes, so this needs no lock.
 * @throws RevisionConflict
 */
export async function settleRefused(pool: pg.Pool, append: CheckedAppend): Promise<AppendResult> {
  const { stream, events } = append;
  const expected = expectedNumber(append.expected);
  const { rows } = await pool.query<Row>({ name: 'settle-refused', text, values: [stream, expected, events.length] });
  const isRepeat = events.every(({ id }, index) => {
    const row = rows[index];
    return row?.revision === expected + 1 + index && row.id === id;
  });
  const last = isRepeat ? rows[events.length - 1] : undefined;
  if (last !== undefined) return { revision: last.revision, position: BigInt(last.position) };
  throw new RevisionConflict(stream, append.expected, rows.at(-1)?.revision ?? 'none');
}
