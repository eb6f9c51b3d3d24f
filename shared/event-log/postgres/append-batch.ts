import type { CheckedAppend } from '../check-append.ts';
import { expectedNumber, type Outcome } from './outcome.ts';
import type { WriteConnection } from './write-connection.ts';

const statement = {
  name: 'append-batch',
  text: 'select before, refused from event_log.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)',
};

/**
 * Writes appends, each to a stream of its own, in one transaction: all that are not refused, or none when it fails.
 * @returns an outcome for each append, in the same order
 */
export async function appendBatch(connection: WriteConnection, appends: readonly CheckedAppend[]): Promise<Outcome[]> {
  const row = await connection.run<{ before: string; refused: number[] }>(statement, columns(appends));
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
