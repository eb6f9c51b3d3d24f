import type { CheckedAppend } from '../check-append.ts';
import { appendBatch } from './append-batch.ts';
import { expectedNumber, type Outcome } from './outcome.ts';
import type { WriteConnection } from './write-connection.ts';

const statement = {
  name: 'append-event',
  text: 'select event_log.append_event($1, $2, $3, $4, $5, $6, $7) as position',
};

/** Writes one append in a statement of its own. */
export async function appendOne(connection: WriteConnection, append: CheckedAppend): Promise<Outcome> {
  const [event, second] = append.events;
  if (event === undefined || second !== undefined) return (await appendBatch(connection, [append]))[0] ?? null;
  const expected = expectedNumber(append.expected);
  const values = [append.stream, expected, event.id, event.type, event.version, event.data, event.metadata];
  const row = await connection.run<{ position: string | null }>(statement, values);
  const position = row?.position ?? null;
  return position === null ? null : { revision: expected + 1, position: BigInt(position) };
}
