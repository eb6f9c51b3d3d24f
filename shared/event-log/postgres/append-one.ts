import type { CheckedAppend } from '../check-append.ts';
import { appendBatch } from './append-batch.ts';
import { appendEvent } from './append-event.ts';
import { expectedNumber, type Outcome } from './outcome.ts';
import type { WriteConnection } from './write-connection.ts';

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
