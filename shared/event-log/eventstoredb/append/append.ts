import { backOff, pause } from '../../../resilience/pause.ts';
import type { CheckedAppend } from '../../check-append.ts';
import { AccessRefused, OutcomeUnknown, RevisionConflict } from '../../errors.ts';
import type { AppendResult, ExpectedRevision } from '../../port.ts';
import type { Connection } from '../connection/connection.ts';
import { isPassing, Refused } from '../connection/failures.ts';
import { readOnce } from '../read/read-call.ts';
import { toStreamRequest } from '../read/read-request.ts';
import { readLastRevision } from '../read/read-stream.ts';
import type { AppendStream } from './append-stream.ts';

export type AppendSettings = {
  readonly connection: Connection;
  readonly appends: AppendStream;
  /** How long one attempt waits for its answer, in milliseconds. */
  readonly silence: number;
  /** How long an append tries to get over a lost connection, in milliseconds. */
  readonly patience: number;
};

/**
 * Appends, and finds out what became of an append whose answer was lost: the stream is asked; while nothing is there, the same
 * ids are sent again under the original expected revision, which the server recognises should the first have landed meanwhile.
 * (Under any newer revision it would write them twice.)
 * @throws RevisionConflict; Refused; OutcomeUnknown when the stream could not be asked in time, or nothing was there yet
 */
export async function append(settings: AppendSettings, checked: CheckedAppend): Promise<AppendResult> {
  const giveUpAt = performance.now() + settings.patience;
  const timeLeft = (): number => Math.max(1, Math.min(settings.silence, giveUpAt - performance.now()));
  for (let attempt = 0; ; attempt++) {
    let lost: unknown;
    try {
      const result = await attemptAppend(settings, checked, timeLeft(), attempt === 0);
      if (result !== null) return result;
    } catch (error) {
      if ([RevisionConflict, Refused, AccessRefused].some((kind) => error instanceof kind)) throw error;
      lost = error;
    }
    try {
      const result = await askStream(settings.connection, checked, settings.silence, timeLeft());
      if (result !== null) return result;
    } catch (error) {
      if (error instanceof RevisionConflict) throw error;
      if (!isPassing(error)) throw new OutcomeUnknown(checked.stream, error);
      lost ??= error;
    }
    const wait = backOff(attempt, 20, 500);
    if (performance.now() + wait >= giveUpAt) throw new OutcomeUnknown(checked.stream, lost);
    await pause(wait);
  }
}

/** @returns null when the stream must be asked */
async function attemptAppend(
  { appends }: AppendSettings,
  checked: CheckedAppend,
  milliseconds: number,
  isFirst: boolean,
): Promise<AppendResult | null> {
  const { stream, expected, events } = checked;
  const answer = await appends.send(checked, milliseconds);
  const revision = lastRevisionOf(expected, events.length);
  if (answer.kind === 'written')
    return answer.revision === revision && answer.position !== null ? { revision, position: answer.position } : null;
  // After a lost answer our own events may be what stands in the way.
  if (isFirst) throw new RevisionConflict(stream, expected, answer.actual);
  return null;
}

/** `none` is -1 in this arithmetic: the first event has revision 0. */
const lastRevisionOf = (expected: ExpectedRevision, events: number): number =>
  (expected === 'none' ? -1 : expected) + events;

/**
 * Asks the stream whether an append is in it: the same ids right behind the expected revision are the same append.
 * @param silence after which the connection is given up, in milliseconds
 * @param patience how long the server may be silent, in milliseconds
 * @returns null while nothing is there: the append may still be under way
 * @throws RevisionConflict when something else stands in its place; the client's error when the stream cannot be asked
 */
async function askStream(
  connection: Connection,
  { stream, expected, events }: CheckedAppend,
  silence: number,
  patience: number,
): Promise<AppendResult | null> {
  const first = lastRevisionOf(expected, 1);
  const request = toStreamRequest(stream, { from: first, direction: 'forward', count: events.length });
  // An append is smaller than a page.
  const { events: found } = await readOnce(connection, `asking ${stream}`, request, { silence, patience });
  const isOther = found.some(({ event }, index) => event?.id !== events[index]?.id);
  if (isOther) {
    const settings = { connection, silence, patience };
    throw new RevisionConflict(stream, expected, await readLastRevision(settings, stream));
  }
  const last = found[events.length - 1]?.event;
  if (last?.position === undefined) return null;
  return { revision: Number(last.revision), position: last.position.commit };
}
