import { setTimeout as pause } from 'node:timers/promises';
import { OutcomeUnknown } from '../event-log/errors.ts';
import type { AppendResult, EventLog, ExpectedRevision } from '../event-log/port.ts';
import type { NewEvent } from '../events/recorded-event.ts';

const FIRST_PAUSE_MS = 50;
/** A log that was silent for longer is not asked again: it has a patience of its own, and somebody waits for the answer. */
const PATIENCE_MS = 3_000;

/**
 * Appends, and settles a lost answer by appending the same ids again under the same expected revision, with growing pauses.
 * @throws OutcomeUnknown when the log stays silent; RevisionConflict, InvalidAppend, AppendTooLarge as the log does
 */
export async function appendCertainly(
  log: EventLog,
  stream: string,
  events: readonly NewEvent[],
  expected: ExpectedRevision,
): Promise<AppendResult> {
  const begunAt = performance.now();
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.append(stream, events, expected);
    } catch (error) {
      if (!(error instanceof OutcomeUnknown) || performance.now() - begunAt > PATIENCE_MS) throw error;
      await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + Math.random()));
    }
  }
}
