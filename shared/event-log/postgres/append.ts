import type pg from 'pg';
import type { CheckedAppend } from '../check-append.ts';
import { RevisionConflict } from '../errors.ts';
import type { AppendResult, ExpectedRevision } from '../port.ts';
import type { WriteConnection } from './write-connection.ts';

/** What a statement said of one append: written, or refused (null) because its stream is elsewhere. */
export type Outcome = AppendResult | null;

/** `none` is -1 in the tables' terms: the first event has revision 0. */
const expectedNumber = (expected: ExpectedRevision): number => (expected === 'none' ? -1 : expected);

const UNIQUE_VIOLATION = '23505';

/** Writes one append; a single event in a statement of its own. A refusal is not final before it was checked under the lock. */
export async function appendOne(connection: WriteConnection, append: CheckedAppend): Promise<Outcome> {
  const [event, second] = append.events;
  if (event !== undefined && second === undefined) {
    const expected = expectedNumber(append.expected);
    const values = [append.stream, expected, event.id, event.type, event.version, event.data, event.metadata];
    const row = await connection.run<{ position: string }>(appendEvent, values).catch(ignoreUniqueViolation);
    if (row !== undefined) return { revision: expected + 1, position: BigInt(row.position) };
  }
  return (await appendBatch(connection, [append]))[0] ?? null;
}

function ignoreUniqueViolation(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return undefined;
  throw error;
}

/**
 * One event, for a caller that is alone; it saves half of a function's overhead. The stream's head was read before the wait for
 * the log's lock, so what the lock waited for is caught by the unique index (stream, revision), which undoes all of it. Writes
 * nothing when the stream is not at the expected revision (-1: none).
 * Parameters: stream, expected revision, id, type, version, data, metadata.
 */
export const appendEvent = {
  name: 'append-event',
  text: `
with before as materialized (
  select event_log.lock_head() as position
  where $2::integer = coalesce(
    (select revision from event_log.events where stream = $1 order by revision desc limit 1), -1))
insert into event_log.events (position, stream, revision, id, type, version, data, metadata, recorded_at)
select position + 1, $1, $2::integer + 1, $3, $4, $5, $6, $7, clock_timestamp() from before
returning position`,
};

/** The function stands in `migrations.ts`. */
const appendBatchStatement = {
  name: 'append-batch',
  text: 'select before, refused from event_log.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};

/**
 * Writes appends, each to a stream of its own, in one transaction: all that are not refused, or none when it fails.
 * @returns an outcome for each append, in the same order
 */
export async function appendBatch(connection: WriteConnection, appends: readonly CheckedAppend[]): Promise<Outcome[]> {
  const row = await connection.run<{ before: string; refused: number[] }>(appendBatchStatement, columns(appends));
  if (row === undefined) throw new Error('append_batch answered no row');
  const refused = new Set(row.refused);
  let position = BigInt(row.before);
  return appends.map((append, index) => {
    if (refused.has(index + 1)) return null;
    position += BigInt(append.events.length);
    return { revision: expectedNumber(append.expected) + append.events.length, position };
  });
}

function columns(appends: readonly CheckedAppend[]): string[] {
  const events = appends.flatMap((append, index) =>
    append.events.map((event, offset) => ({
      event,
      append: index + 1,
      revision: expectedNumber(append.expected) + 1 + offset,
    })),
  );
  return [
    lines(appends.map(({ stream }) => stream)),
    numbers(appends.map(({ expected }) => expectedNumber(expected))),
    numbers(events.map(({ append }) => append)),
    numbers(events.map(({ revision }) => revision)),
    lines(events.map(({ event }) => event.id)),
    lines(events.map(({ event }) => event.type)),
    numbers(events.map(({ event }) => event.version)),
    lines(events.map(({ event }) => event.data)),
    lines(events.map(({ event }) => event.metadata)),
  ];
}

const lines = (texts: readonly string[]): string => texts.join('\n');
const numbers = (values: readonly number[]): string => `{${values.join(',')}}`;

const settleRefusedText = `
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
  const { rows } = await pool.query<Row>({
    name: 'settle-refused',
    text: settleRefusedText,
    values: [stream, expected, events.length],
  });
  const isRepeat = events.every(({ id }, index) => {
    const row = rows[index];
    return row?.revision === expected + 1 + index && row.id === id;
  });
  const last = isRepeat ? rows[events.length - 1] : undefined;
  if (last !== undefined) return { revision: last.revision, position: BigInt(last.position) };
  throw new RevisionConflict(stream, append.expected, rows.at(-1)?.revision ?? 'none');
}
