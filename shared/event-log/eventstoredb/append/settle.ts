import type { CheckedAppend } from '../../check-append.ts';
import { RevisionConflict } from '../../errors.ts';
import type { AppendResult, ExpectedRevision } from '../../port.ts';
import type { Connection } from '../connection/connection.ts';
import { readOnce } from '../read/read-call.ts';
import { toStreamRequest } from '../read/read-request.ts';
import { readLastRevision } from '../read/read-stream.ts';

/** `none` is -1 in this arithmetic: the first event has revision 0. */
export const lastRevisionOf = (expected: ExpectedRevision, events: number): number =>
  (expected === 'none' ? -1 : expected) + events;

/**
 * Asks the stream whether an append is in it: the same ids right behind the expected revision are the same append.
 * @param silence after which the connection is given up, in milliseconds
 * @param patience how long the server may be silent, in milliseconds
 * @returns null while nothing is there: the append may still be under way
 * @throws RevisionConflict when something else stands in its place; the client's error when the stream cannot be asked
 */
export async function askStream(
  connection: Connection,
  { stream, expected, events }: CheckedAppend,
  silence: number,
  patience: number,
): Promise<AppendResult | null> {
  const first = lastRevisionOf(expected, 1);
  const request = toStreamRequest(stream, { from: first, direction: 'forward', count: events.length });
  const found = await readOnce(connection, `asking ${stream}`, request, { silence, patience });
  const isOther = found.some(({ event }, index) => event?.id !== events[index]?.id);
  if (isOther) {
    const settings = { connection, silence, patience };
    throw new RevisionConflict(stream, expected, await readLastRevision(settings, stream));
  }
  const last = found[events.length - 1]?.event;
  if (last?.position === undefined) return null;
  return { revision: Number(last.revision), position: last.position.commit };
}
